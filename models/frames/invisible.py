"""Characters that nobody sees: blanks of all scripts, control characters, marks of direction.

Spreadsheets, mail and web pages leave them around a value; two values that look alike would differ.
"""

_RANGES = (
    (0x00, 0x20),  # control characters, tab and the ordinary blank
    (0x7F, 0xA0),  # further control characters and the no-break space
    (0xAD, 0xAD),  # soft hyphen
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x1680, 0x1680),
    (0x17B4, 0x17B5),
    (0x180B, 0x180E),
    (0x2000, 0x200F),  # blanks of typesetting, zero-width characters, marks of direction
    (0x2028, 0x202F),
    (0x205F, 0x206F),
    (0x2800, 0x2800),
    (0x3000, 0x3000),  # ideographic space
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),
)
CHARACTERS = "".join(chr(code) for low, high in _RANGES for code in range(low, high + 1))
# As a class of a regular expression, and the same at both ends of a text (each run is read once).
CLASS = "[" + "".join(f"\\u{low:04x}-\\u{high:04x}" for low, high in _RANGES) + "]"
AT_THE_ENDS = rf"^{CLASS}++|(?<!{CLASS}){CLASS}++\z"
