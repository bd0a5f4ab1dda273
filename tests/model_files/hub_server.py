"""A server on loopback with the routes of the Hugging Face Hub."""
import base64
import hashlib
import json
import re
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPO = r'(?P<repo>[\w.-]+/[\w.-]+)'


class HubServer(ThreadingHTTPServer):
    """Repositories in memory: uploads in one commit, downloads by revision.

    Attributes:
        commits (dict): Files by name, by (repository, commit).
        heads (dict): Newest commit by (repository, branch).
        requests (list): Method and path of every request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.commits, self.heads, self.requests = {}, {}, []
        self.sockets = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def process_request(self, request, address) -> None:
        self.sockets.append(request)
        super().process_request(request, address)

    def stop(self) -> None:
        """Refuse connections, and end those that clients keep open."""
        self.shutdown()
        self.server_close()
        for connection in self.sockets:
            with suppress(OSError):  # closed by the client
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return 'http://{}:{}'.format(*self.server_address)

    def commit(self, repo: str, changed: dict, branch: str = 'main') -> str:
        """Add files to a branch and return the new commit."""
        old = self.commits.get((repo, self.heads.get((repo, branch))), {})
        files = {**old, **changed}
        sha = hashlib.sha1(repr((branch, sorted(files.items()), len(
            self.commits))).encode()).hexdigest()
        self.commits[repo, sha] = files
        self.heads[repo, branch] = sha
        return sha


class Handler(BaseHTTPRequestHandler):
    """Routes of the Hub that huggingface_hub calls for models."""

    protocol_version = 'HTTP/1.1'
    ROUTES = {
        r'GET /api/models/%s/revision/(?P<revision>[^/]+)': 'info',
        r'GET /api/models/%s/tree/(?P<revision>[^/]+).*': 'tree',
        r'(GET|HEAD) /%s/resolve/(?P<revision>[^/]+)/(?P<name>.+)': 'file',
        r'POST /api/repos/create': 'create',
        r'POST /api/validate-yaml': 'validate',
        r'POST /api/models/%s/preupload/(?P<revision>[^/]+)': 'modes',
        r'POST /api/models/%s/commit/(?P<revision>[^/]+)': 'commit',
    }

    def handle_any(self) -> None:
        path = self.path.partition('?')[0]
        self.server.requests.append((self.command, path))
        self.body = self.rfile.read(int(self.headers.get(
            'Content-Length', 0)))
        for pattern, action in self.ROUTES.items():
            match = re.fullmatch(pattern.replace('%s', REPO),
                                 f'{self.command} {path}')
            if match:
                return getattr(self, action)(**match.groupdict())
        self.reply(dict(error='no such route'), 404)

    do_GET = do_HEAD = do_POST = handle_any  # noqa: N815

    def reply(self, content, status: int = 200, **headers) -> None:
        data = content if isinstance(content, bytes) else json.dumps(
            content).encode()
        self.send_response(status)
        for name, value in dict({'Content-Length': len(data)},
                                **headers).items():
            self.send_header(name.replace('_', '-'), str(value))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(data)

    def resolved(self, repo: str, revision: str):
        """Return the commit of a revision and its files, or reply."""
        hub = self.server
        sha = hub.heads.get((repo, revision), revision)
        if (repo, sha) in hub.commits:
            return sha, hub.commits[repo, sha]
        known = any(name == repo for name, _ in hub.commits)
        code = 'RevisionNotFound' if known else 'RepoNotFound'
        self.reply(dict(error=code), 404, X_Error_Code=code)
        return None, None

    def info(self, repo: str, revision: str) -> None:
        sha, files = self.resolved(repo, revision)
        if sha:
            self.reply(dict(id=repo, sha=sha, siblings=[
                dict(rfilename=name) for name in files]))

    def tree(self, repo: str, revision: str) -> None:
        sha, files = self.resolved(repo, revision)
        if sha:
            self.reply([dict(
                type='file', path=name, size=len(data),
                oid=hashlib.sha1(data).hexdigest())
                for name, data in files.items()])

    def file(self, repo: str, revision: str, name: str) -> None:
        sha, files = self.resolved(repo, revision)
        if not sha:
            return
        if name not in files:
            self.reply({}, 404, X_Error_Code='EntryNotFound')
            return
        digest = hashlib.sha1(files[name]).hexdigest()
        self.reply(files[name], X_Repo_Commit=sha, ETag=f'"{digest}"')

    def create(self) -> None:
        given = json.loads(self.body)
        repo = f"{given['organization']}/{given['name']}"
        if (repo, 'main') in self.server.heads:
            self.reply(dict(error='exists', url=f'{self.server.url}/{repo}'),
                       409)
            return
        self.server.commit(repo, {'.gitattributes': b''})
        self.reply(dict(url=f'{self.server.url}/{repo}', id=repo))

    def validate(self) -> None:
        self.reply(dict(errors=[], warnings=[]))

    def modes(self, repo: str, revision: str) -> None:
        self.reply(dict(files=[dict(
            path=file['path'], uploadMode='regular', shouldIgnore=False)
            for file in json.loads(self.body)['files']]))

    def commit(self, repo: str, revision: str) -> None:
        lines = [json.loads(line) for line in self.body.splitlines()]
        sha = self.server.commit(repo, {
            line['value']['path']: base64.b64decode(line['value']['content'])
            for line in lines if line['key'] == 'file'}, revision)
        self.reply(dict(commitOid=sha, success=True, commitUrl=(
            f'{self.server.url}/{repo}/commit/{sha}')))

    def log_message(self, *args) -> None:
        pass
