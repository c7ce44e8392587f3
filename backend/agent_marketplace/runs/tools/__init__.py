"""Tools that need nothing: a calculator, a page's text, our own catalogue and our own prices."""
