"""The door of the published documents, and of the page that shows them."""

from pathlib import Path

import swagger_ui_bundle

from leadwire.edge import static

HERE, PAGE = Path(__file__).parent, Path(__file__).parent / "page"
DIALECTS = ("public", "chatbot", "lists", "crm", "all")
FILES = {
    "/docs": PAGE / "index.html",
    "/docs/page.js": PAGE / "page.js",
    "/docs/page.css": PAGE / "page.css",
    "/docs/swagger-ui.css": swagger_ui_bundle.swagger_ui_path / "swagger-ui.css",
    "/docs/swagger-ui-bundle.js": swagger_ui_bundle.swagger_ui_path / "swagger-ui-bundle.js",
    **{f"/openapi/{name}.json": HERE / f"openapi/{name}.json" for name in DIALECTS},
}
handler = static.door(FILES)
