"""Names of files, and multipart bodies."""

import os

from django.conf import settings
from django.core.files.storage.base import Storage
from django.core.files.storage.filesystem import FileSystemStorage
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, StopFutureHandlers, StopUpload
from django.http.multipartparser import MultiPartParser
from django.utils.datastructures import MultiValueDict
from django.utils.functional import keep_lazy_text

from .place import answers, ask, only_as_django_wrote_it
from .program import NotRepresentable, text


@answers("django.utils.text:get_valid_filename")
@keep_lazy_text
def get_valid_filename(name):
    return ask("files.get_valid_filename", {"name": str(name)})


@answers("django.core.files.utils:validate_file_name")
def validate_file_name(name, allow_relative_path=False):
    path = os.fspath(name) if isinstance(name, os.PathLike) else text(name)
    question = {"name": path, "allow_relative_path": bool(allow_relative_path)}
    ask("files.validate_file_name", question)
    return name


@answers("django.http.multipartparser:MultiPartParser.sanitize_file_name")
def sanitize_file_name(self, file_name):
    return ask("files.sanitize_upload_name", {"name": text(file_name)})


def set_name(self, name):
    self._name = None if name is None else ask("files.upload_basename", {"name": os.fspath(name)})


UploadedFile.name = property(UploadedFile._get_name, set_name)
UploadedFile._set_name = set_name


@answers("django.core.files.storage.base:Storage.generate_filename")
def generate_filename(self, filename):
    only_as_django_wrote_it(self, Storage, "get_valid_name")
    return ask("files.generate_filename", {"name": str(filename)})


@answers("django.core.files.storage.base:Storage.get_available_name")
def get_available_name(self, name, max_length=None):
    on_disk = isinstance(self, FileSystemStorage)
    only_as_django_wrote_it(self, FileSystemStorage if on_disk else Storage, "get_alternative_name")
    if getattr(self, "_allow_overwrite", False):
        raise NotRepresentable("a storage whose names are always free")

    def host(call, args):
        return bool(self.is_name_available(args["name"]))

    question = {"name": str(name), "max_length": max_length}
    return ask("files.available_name", question, host=host)


@answers("django.utils._os:safe_join")
def safe_join(base, *paths):
    question = {"base": os.path.abspath(text(os.fspath(base))), "paths": [os.fspath(path) for path in paths]}
    if not all(isinstance(path, str) for path in question["paths"]):
        raise NotRepresentable("bytes in a path")
    return ask("files.safe_join", question)


@answers("django.http.request:HttpRequest._check_data_too_big")
def check_data_too_big(self, length):
    ask("upload.check_body_size", {"length": length})


@answers("django.http.multipartparser:MultiPartParser.__init__")
def init(self, META, input_data, upload_handlers, encoding=None):
    length = META.get("CONTENT_LENGTH", 0)
    question = {
        "content_type": text(META.get("CONTENT_TYPE", "")),
        "content_length": None if length is None else str(length),
    }
    head = ask("upload.check_multipart_header", question)
    self._boundary = head["boundary"].encode("ascii")
    self._content_length = head["content_length"]
    sizes = [handler.chunk_size for handler in upload_handlers if handler.chunk_size]
    self._chunk_size = min([2**31 - 4, *sizes])
    self._meta, self._input_data, self._upload_handlers = META, input_data, upload_handlers
    self._encoding = encoding or settings.DEFAULT_CHARSET


@answers("django.http.multipartparser:MultiPartParser._parse")
def parse(self):
    """Parses the whole body, then plays its files to the handlers, in their chunks."""
    from django.http import QueryDict

    if self._encoding.lower().replace("_", "-") != "utf-8":
        raise NotRepresentable("another encoding")
    handlers = self._upload_handlers
    if self._content_length == 0:
        return QueryDict(encoding=self._encoding), MultiValueDict()
    for handler in handlers:
        result = handler.handle_raw_input(
            self._input_data, self._meta, self._content_length, self._boundary, self._encoding
        )
        if result is not None:
            return result[0], result[1]
    self._post, self._files = QueryDict(mutable=True), MultiValueDict()
    body = b"".join(iter(lambda: self._input_data.read(1 << 16), b""))
    parsed = ask("upload.parse_multipart", {"boundary": self._boundary.decode(), "body": body})
    for name, value in parsed["fields"]:
        self._post.appendlist(name, value)
    try:
        for part in parsed["files"]:
            play(self, handlers, part)
    except StopUpload:
        self._close_files()
    any(handler.upload_complete() for handler in handlers)
    self._post._mutable = False
    return self._post, self._files


def play(parser, handlers, part):
    """Hands one file to the handlers, as if it arrived now."""
    counters = [0] * len(handlers)
    extra = {name: value.encode() for name, value in part["extra"].items()}
    facts = (part["content_type"], None, extra.get("charset"), extra)
    try:
        for handler in handlers:
            try:
                handler.new_file(part["field"], part["file_name"], *facts)
            except StopFutureHandlers:
                break
        content, size = part["content"], parser._chunk_size
        for start in range(0, len(content), size):
            chunk = content[start : start + size]
            for place, handler in enumerate(handlers):
                length = len(chunk)
                chunk = handler.receive_data_chunk(chunk, counters[place])
                counters[place] += length
                if chunk is None:
                    break
    except SkipFile:
        parser._close_files()
    else:
        parser.handle_file_complete(part["field"], counters)
