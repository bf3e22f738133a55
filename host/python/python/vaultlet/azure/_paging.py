"""Listings that are asked for when they are iterated, as Azure's `ItemPaged`."""

# As the vault's own pages are.
_PAGE_SIZE = 25


class ItemPaged:
    """Items one by one, or by page."""

    def __init__(self, items, page_size=None):
        self._items = items
        self._page_size = page_size or _PAGE_SIZE
        self._iterator = None

    def by_page(self, continuation_token=None):
        """Pages, each an iterator; from a `continuation_token` of such an iterator of pages on."""
        return _Pages(self._items, self._page_size, continuation_token)

    def __iter__(self):
        return self

    def __next__(self):
        if self._iterator is None:
            self._iterator = iter(self._items())
        return next(self._iterator)

    def __repr__(self):
        return f"<{type(self).__name__}>"


class _Position:
    """Where in a listing the pages are; its name is the number of items before."""

    def __init__(self, items, size, continuation_token):
        self._items, self._size, self._all = items, size, None
        self._at = int(continuation_token or 0)
        self.continuation_token = continuation_token

    def _take(self):
        page = self._all[self._at : self._at + self._size]
        self._at += self._size
        self.continuation_token = str(self._at) if self._at < len(self._all) else None
        return page


class _Pages(_Position):
    def __iter__(self):
        return self

    def __next__(self):
        if self._all is None:
            self._all = self._items()
        elif self._at >= len(self._all):
            raise StopIteration
        return iter(self._take())


class AsyncItemPaged:
    """Items one by one, or by page, for `async for`."""

    def __init__(self, items, page_size=None):
        self._items = items
        self._page_size = page_size or _PAGE_SIZE
        self._iterator = None

    def by_page(self, continuation_token=None):
        """Pages, each for `async for`; from a `continuation_token` on."""
        return _AsyncPages(self._items, self._page_size, continuation_token)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._iterator is None:
            self._iterator = iter(await self._items())
        for item in self._iterator:
            return item
        raise StopAsyncIteration

    def __repr__(self):
        return f"<{type(self).__name__}>"


class _AsyncPages(_Position):
    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._all is None:
            self._all = await self._items()
        elif self._at >= len(self._all):
            raise StopAsyncIteration
        return _each(self._take())


async def _each(items):
    for item in items:
        yield item
