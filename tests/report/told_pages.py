"""Pages of HTML as a parser understands them."""

from html.parser import HTMLParser


class Read(HTMLParser):
    """What a parser makes of a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.text = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, attrs))

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl):
        assert (decl, self.elements) == ("doctype html", [])

    handle_pi = unknown_decl = handle_comment
