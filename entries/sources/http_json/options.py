"""Options of a JSON API: where the items are, and how to find the next page; pure."""

from urllib.parse import quote

import httpx
from pydantic import Field

from entries.net import InvalidAddress
from entries.net.urls import parse
from entries.sources.options import Options


class HttpJsonOptions(Options):
    """Paths are dotted: ``data.items``. The empty path is the whole document."""

    items: str = ""
    id_field: str = Field("id", min_length=1)
    title_field: str = Field("title", min_length=1)
    cursor_path: str = ""
    cursor_param: str = ""
    next_url_path: str = ""
    page_param: str = ""
    first_page: int = Field(1, ge=0)
    size_param: str = ""
    size: int | None = Field(None, ge=1)
    max_pages: int = Field(10_000, ge=1, le=1_000_000)
    item_url: str = ""
    item: str = ""

    @property
    def paged(self) -> bool:
        return bool(self.cursor_path or self.next_url_path or self.page_param)

    def problems(self) -> list[str]:
        found = []
        if bool(self.cursor_path) != bool(self.cursor_param):
            found.append("cursor_path and cursor_param only make sense together")
        if bool(self.size_param) != (self.size is not None):
            found.append("size_param and size only make sense together")
        ways = [self.cursor_path or self.cursor_param, self.next_url_path, self.page_param]
        if sum(map(bool, ways)) > 1:
            found.append("choose one way of paging: cursor_path, next_url_path or page_param")
        if self.item_url or self.item:
            found += self._problems_with_item_url()
        return found

    def _problems_with_item_url(self) -> list[str]:
        if "{id}" not in self.item_url:
            return ["option item_url: write {id} where the id goes"]
        try:
            parse(self.build_item_url("1"))
        except InvalidAddress as error:
            return [f"option item_url: {error}"]
        return []

    def build_item_url(self, external_id: str) -> str:
        return self.item_url.replace("{id}", quote(external_id, safe=""))

    def first_url(self, location: str) -> httpx.URL:
        """Build the address of the first page. Raises ``InvalidAddress``."""
        url = parse(location)
        if self.size_param:
            url = url.copy_set_param(self.size_param, self.size)
        if self.page_param:
            url = url.copy_set_param(self.page_param, self.first_page)
        return url
