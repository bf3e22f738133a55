"""Listings that are requested when they are iterated, as Azure's `ItemPaged`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
    from typing import Callable

    from typing_extensions import Self

    from ._models import SecretProperties

# The size of the vault's own pages.
_PAGE_SIZE = 25


class ItemPaged:
    """Items one by one, or by page."""

    def __init__(
        self, items: Callable[[], list[SecretProperties]], page_size: int | None = None
    ) -> None:
        self._items = items
        self._page_size = page_size or _PAGE_SIZE
        self._iterator: Iterator[SecretProperties] | None = None

    def by_page(self, continuation_token: str | None = None) -> Pages:
        """Pages, each an iterator; from the `continuation_token` of an earlier iteration on."""
        return Pages(self._items, self._page_size, continuation_token)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SecretProperties:
        if self._iterator is None:
            self._iterator = iter(self._items())
        return next(self._iterator)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class _Position:
    """The position of an iteration by page, whose token is the number of items before it."""

    def __init__(self, size: int, continuation_token: str | None) -> None:
        self._size = size
        self._all: list[SecretProperties] | None = None
        self._next = int(continuation_token or 0)
        self.continuation_token = continuation_token

    def _take(self, listed: list[SecretProperties]) -> list[SecretProperties]:
        page = listed[self._next : self._next + self._size]
        self._next += self._size
        self.continuation_token = str(self._next) if self._next < len(listed) else None
        return page


class Pages(_Position):
    """The pages of a listing."""

    def __init__(
        self,
        items: Callable[[], list[SecretProperties]],
        size: int,
        continuation_token: str | None,
    ) -> None:
        super().__init__(size, continuation_token)
        self._items = items

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Iterator[SecretProperties]:
        if self._all is None:
            self._all = self._items()
        elif self._next >= len(self._all):
            raise StopIteration
        return iter(self._take(self._all))


class AsyncItemPaged:
    """Items one by one, or by page, for `async for`."""

    def __init__(
        self,
        items: Callable[[], Awaitable[list[SecretProperties]]],
        page_size: int | None = None,
    ) -> None:
        self._items = items
        self._page_size = page_size or _PAGE_SIZE
        self._iterator: Iterator[SecretProperties] | None = None

    def by_page(self, continuation_token: str | None = None) -> AsyncPages:
        """Pages, each for `async for`; from the `continuation_token` of an earlier iteration on."""
        return AsyncPages(self._items, self._page_size, continuation_token)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SecretProperties:
        if self._iterator is None:
            self._iterator = iter(await self._items())
        for item in self._iterator:
            return item
        raise StopAsyncIteration

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class AsyncPages(_Position):
    """The pages of a listing, for `async for`."""

    def __init__(
        self,
        items: Callable[[], Awaitable[list[SecretProperties]]],
        size: int,
        continuation_token: str | None,
    ) -> None:
        super().__init__(size, continuation_token)
        self._items = items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncIterator[SecretProperties]:
        if self._all is None:
            self._all = await self._items()
        elif self._next >= len(self._all):
            raise StopAsyncIteration
        return _each(self._take(self._all))


async def _each(items: Iterable[SecretProperties]) -> AsyncIterator[SecretProperties]:
    for item in items:
        yield item
