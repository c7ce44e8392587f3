"""Completions for editors: a text before and after the cursor, in the shapes that editors send and providers take."""
