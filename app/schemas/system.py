"""This server and its health at the JSON edge."""

from __future__ import annotations

from marshmallow import Schema, fields


class SystemSchema(Schema):
    hostname = fields.String()
    addresses = fields.List(fields.String())
    gateway = fields.String(allow_none=True)
    tunnel_network = fields.String(metadata={"description": "ManagementTunnelNetwork as CIDR, or empty."})
    version = fields.String()
    cpus = fields.Integer()
    memory_bytes = fields.Integer()
    disk_bytes = fields.Integer()
    disk_free_bytes = fields.Integer()


class HealthSchema(Schema):
    status = fields.String(metadata={"enum": ["ok", "not-ready", "not-primary"]})
    reason = fields.String()
