"""Code blocks of the documentation, and the commands in them."""
import re
import shutil
import subprocess
from pathlib import Path
from typing import List, NamedTuple, Optional

from conftest import ROOT
from markdown_it import MarkdownIt

OUTSIDE = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md']
PAGES = [*OUTSIDE, *sorted((ROOT / 'docs').rglob('*.md'))]
#: Comment before a block that cannot be run, with the reason.
NOT_RUN = re.compile(r'<!-- not run: (.+?) -->', re.S)
#: Records a command of a block as bash would start it.
RECORDER = '#!/bin/sh\nprintf "%s\\0" "{name}" "$@" >> "$COMMANDS"\n' \
    'printf "\\n" >> "$COMMANDS"\n'
PROGRAMS = ('python', 'pip', 'make', 'irsde', 'bash', 'docker')


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    text: str
    not_run: Optional[str]

    def __str__(self) -> str:
        return f'{self.page.relative_to(ROOT)}:{self.line}'

    @property
    def file(self) -> Optional[str]:
        """File name in the comment of the first line."""
        name = re.match(r'# (\w+\.(?:py|yml))\n', self.text)
        return name and name[1]

    def run(self, namespace: dict) -> None:
        exec(compile('\n' * self.line + self.text, str(self.page), 'exec'),
             namespace)


def blocks_of(page: Path) -> List[Block]:
    found, comment = [], None
    for token in MarkdownIt().enable('table').parse(page.read_text()):
        if token.type == 'fence':
            found.append(Block(page, token.map[0] + 1, token.info,
                               token.content, comment and comment[1]))
        if token.type != 'inline':
            comment = NOT_RUN.match(token.content)
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def commands_of(block: Block, folder: Path) -> List[List[str]]:
    """Return program and arguments of every command in a block, as bash
    expands them, without running them."""
    programs = folder / 'programs'
    (folder / 'tools').mkdir(parents=True)
    programs.mkdir()
    for path in [*(programs / name for name in PROGRAMS),
                 *(folder / 'tools' / script.name
                   for script in (ROOT / 'tools').glob('*.sh'))]:
        path.write_text(RECORDER.format(name=path.relative_to(
            folder if path.parent.name == 'tools' else programs)))
        path.chmod(0o755)
    log = folder / 'commands'
    log.touch()
    done = subprocess.run(
        [shutil.which('bash'), '--noprofile', '--norc', '-euc', block.text],
        cwd=folder,
        env=dict(PATH=str(programs), COMMANDS=str(log)),
        text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return [line.rstrip('\0').split('\0')
            for line in log.read_text().splitlines()]
