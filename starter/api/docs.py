"""The reference page: Swagger UI from its package, without anything from elsewhere."""

import hashlib
import re
from base64 import b64encode

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

ASSETS = "docs/assets"
"""Relative, as all addresses here: the API may stand below a path of a proxy."""

PAGE = bytes(
    get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Orders API",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon-32x32.png",
        swagger_ui_parameters={"persistAuthorization": False, "validatorUrl": None},
    ).body
)
SCRIPTS = " ".join(
    f"'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'"
    for script in re.findall(rb"<script>(.*?)</script>", PAGE, re.DOTALL)
)
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'self' {SCRIPTS}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

router = APIRouter()


@router.get("/docs", include_in_schema=False)
def docs() -> HTMLResponse:
    return HTMLResponse(PAGE, headers=HEADERS)


def serve_assets(app: FastAPI) -> None:
    app.mount(f"/{ASSETS}", StaticFiles(packages=[("fastapi_swagger", "resources")]))
