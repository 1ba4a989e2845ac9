"""What a browser sees of Shippo's world: a label to print, and the carrier's page about a parcel."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from infra.sandbox.world import World

STYLE = "body{font:16px/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}"


def label(world: World, request: Request) -> Response:
    doc = world.get("shippo_transaction", request.path_params["id"])
    if doc is None or not doc["answer"]["tracking_number"]:
        return Response("No such label.", 404)
    answer = doc["answer"]
    return Response(pdf(["SANDBOX LABEL", answer["tracking_number"], answer["metadata"]]), media_type="application/pdf")


def parcel(world: World, request: Request) -> Response:
    doc = world.get("shippo_track", request.path_params["number"])
    if doc is None:
        return HTMLResponse("No such parcel.", 404)
    answer = doc["answer"]
    events = "".join(
        f"<li>{escape(event['status_date'])} {escape(event['status_details'])}</li>"
        for event in reversed(answer["tracking_history"])
    )
    title = f"{answer['carrier'].upper()} {answer['tracking_number']}"
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
        f"<h1>{escape(title)}</h1><ul>{events}</ul></html>"
    )


def pdf(lines: list[str]) -> bytes:
    """One page of 4 by 6 inches with these lines."""
    shown = " T* ".join(f"({_ascii(line)}) Tj" for line in lines)
    drawing = f"BT /F1 14 Tf 18 TL 24 400 Td {shown} ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 432] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
    ]
    text, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    text_end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return text + text_end % (count, table, count, len(text))


def _ascii(line: str) -> str:
    plain = line.encode("ascii", "replace").decode()
    return plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
