"""HTML pages and SVG pictures as text, without scripts, files or Spark.

Others take:
- `page`: tables, tiles, bars and the page around them (report of a night, what-if)
- `funnel`: how many are left after each stage
- `bill_comparison`: a bill before and after a change of package, as amounts and as a picture
`svg` is for this room alone.
"""
