"""Index page of a package, bilingual: opens from a folder, without this system or a network."""

from html import escape

from dashboard.pages.package.manifest import Manifest

STYLE = (
    "body{font:16px/1.5 'Noto Sans',system-ui,sans-serif;max-width:1200px;margin:24px "
    "auto;padding:0 16px;color:#1b1f23}"
    "h1{border-left:8px solid #733a96;padding-left:14px}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:4px 10px;border-bottom:1px solid "
    "#ccc;vertical-align:top}td.n{text-align:right}"
    "code{font-size:12px;word-break:break-all}figure{margin:18px 0}img{width:100%;border:1px "
    "solid #888}small{color:#555}"
    ".mark{background:#733a96;color:#fff;font-weight:bold;font-size:20px;padding:6px 14px}"
)


def index(manifest: Manifest) -> str:
    """Return the page as HTML."""
    pictures = [file for file in manifest.files if file.name.startswith("screens/")]
    tables = [file for file in manifest.files if file not in pictures]
    rows = "".join(
        "<tr><td><a "
        f"href='{escape(file.name)}'>{escape(file.name)}</a><br><small>{escape(file.what)}</"
        "small></td>"
        f"<td class=n>{file.rows:,}</td><td "
        f"class=n>{file.bytes:,}</td><td><code>{file.sha256}</code></td></tr>"
        for file in tables
    )
    shown = "".join(
        f"<figure><figcaption>{escape(file.what)}</figcaption>"
        f"<a href='{escape(file.name)}'><img src='{escape(file.name)}' "
        f"alt='{escape(file.what)}'></a></figure>"
        for file in pictures
    )
    left = "".join(f"<li>{escape(one)}</li>" for one in manifest.left_out)
    versions = "".join(
        f"<tr><td>{escape(name)}</td><td><code>{escape(one)}</code></td></tr>"
        for name, one in manifest.versions.items()
    )
    sign = "DIỄN TẬP · EXERCISE" if manifest.mark == "exercise" else "PHÁT LẠI · REPLAY"
    mark = f"<p class=mark>{sign}: {escape(manifest.run)}</p>" if manifest.run else ""
    title = (
        f"{sign} – {escape(manifest.since)}"
        if manifest.run
        else f"Gói sự cố {escape(manifest.since)}"
    )
    return (
        "<!DOCTYPE html><html lang=vi><meta "
        f"charset=utf-8><title>{title}</title><style>{STYLE}</style>"
        f"{mark}<h1>Gói sự cố · Incident package</h1><p>{escape(manifest.since)} – "
        f"{escape(manifest.until)} · "
        f"tỉnh/thành · province {escape(manifest.province)} · lập lúc · made at "
        f"{escape(manifest.made_at)}</p>"
        f"<h2>Màn hình · Screens</h2>{shown or '<p>–</p>'}"
        "<h2>Bảng · Tables</h2><table><tr><th>Tệp · File</th><th>Dòng · "
        f"Rows</th><th>Byte</th><th>SHA-256</th></tr>{rows}</table>"
        f"<h2>Phiên bản · Versions</h2><table>{versions}</table>"
        f"<h2>Không có trong gói · Left out</h2><ul>{left}</ul>"
        "<p>Kiểm tra · Check: <code>sha256sum -c SHA256SUMS</code></p></html>"
    )
