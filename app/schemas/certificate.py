"""The console's certificate at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.core.certificates import CERTIFICATE_LENGTH_MAX, KEY_LENGTH_MAX
from app.schemas.strict import Secret, StrictSchema


class CertificateSchema(Schema):
    subject = fields.String()
    issuer = fields.String()
    names = fields.List(fields.String(), metadata={"description": "The hosts and addresses that it is for."})
    not_before = fields.DateTime()
    not_after = fields.DateTime()
    days_left = fields.Integer(metadata={"description": "Whole days until its end; negative when it is over."})
    fingerprint = fields.String(metadata={"description": "SHA256, in pairs of hexadecimal digits with colons."})
    made_here = fields.Boolean(metadata={"description": "Whether this server's own authority has signed it."})
    authority = fields.String(
        allow_none=True, metadata={"description": "That authority in PEM, to be given to browsers."}
    )


class NewCertificateSchema(StrictSchema):
    certificate = Secret(
        CERTIFICATE_LENGTH_MAX,
        required=True,
        metadata={"format": "pem", "description": "PEM: the server's certificate, then its chain."},
    )
    key = Secret(KEY_LENGTH_MAX, required=True, metadata={"description": "PEM: its private key, without a password."})
