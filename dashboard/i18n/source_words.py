"""The words of codes that nobody knows, in the form of `dashboard.i18n.words`, which takes them in."""

UNKNOWN_CODES: dict[str, tuple[str, str]] = {
    "unknown_code": (
        "{code} (mã không có trong danh mục)",
        "{code} (code not in the reference lists)",
    ),
    "not_in_lists": ("mã không có trong danh mục", "code not in the reference lists"),
    "unit_elsewhere": ("{unit} ({province})", "{unit} ({province})"),
    "unknown_codes": ("Mã không có trong danh mục", "Codes not in the reference lists"),
    "no_unknown_codes": (
        "Mọi mã nhận được đều có trong danh mục",
        "Every code received is in the reference lists",
    ),
    "unknown_hint": (
        "Bản ghi vẫn được nhận và tính cho toàn tỉnh, nhưng không vào xã, phường hay nhóm nào: báo bên gửi sửa mã",
        "These records are kept and count for the province, but for no commune or group: ask the sender to mend the code",
    ),
    "unknown_what": ("Trường", "Field"),
    "unknown_value": ("Mã", "Code"),
    "unknown_records": ("Bản ghi", "Records"),
    "unknown_since": ("Từ", "Since"),
    "unknown_example": ("Ví dụ", "Example"),
    "unknown_elsewhere": ("thuộc nơi khác: {unit}", "of elsewhere: {unit}"),
    "of_no_unit": ("Không thuộc đơn vị nào", "Of no known unit"),
    "of_no_unit_hint": (
        "Bản ghi có mã xã, phường không có ở đây: xem trang Nguồn dữ liệu",
        "Records whose commune code is of no unit here: see Data sources",
    ),
}
