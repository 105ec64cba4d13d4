"""`/wall`: the wall of the control room.

Reading order: `layout` (the page), `scenes` (the scenes, with `figures`, `theme_figures`, `cards`
and `boards`), `sources` (the freshness strip), `backdrop` (slowly changing content), `frame` (all
that changes, by component), `drawings` (frames shared by viewers).
"""
