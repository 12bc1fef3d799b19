"""The status at the JSON edge. Its inner sections are what the monitor publishes (see jobs/monitor/snapshot.py)."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.core.status import WORDS

STATUS_WORDS = [word for word, _ in WORDS]


class ReasonSchema(Schema):
    code = fields.String()
    text = fields.String()


class NodeStatusSchema(Schema):
    hostname = fields.String()
    role = fields.String()
    writable = fields.Boolean()
    address = fields.String(allow_none=True)
    phase = fields.String()
    maintenance = fields.Boolean()
    operation = fields.String()


class PeerStatusSchema(Schema):
    hostname = fields.String()
    address = fields.String()
    role = fields.String(allow_none=True)
    term = fields.Integer(allow_none=True)
    writable = fields.Boolean(allow_none=True)
    fenced = fields.Raw(allow_none=True)
    heard = fields.Boolean()
    heartbeat_age_s = fields.Float(allow_none=True)
    error = fields.String()
    lag_s = fields.Float(
        allow_none=True, metadata={"description": "How far it is behind as a secondary; null where not known."}
    )


class FailoverSchema(Schema):
    ready = fields.Boolean()
    reasons = fields.List(fields.Nested(ReasonSchema))
    lost_bound = fields.String(metadata={"description": "What a failover at this moment could lose."})
    lost_transactions = fields.Integer(
        allow_none=True, metadata={"description": "So many transactions of this primary are on no other server."}
    )
    window_s = fields.Float()


class RunningJobSchema(Schema):
    id = fields.String()
    kind = fields.String()
    state = fields.String()


class NewestRescueSchema(Schema):
    id = fields.String()
    kind = fields.String()
    at = fields.String()


class RescueCountSchema(Schema):
    count = fields.Integer(metadata={"description": "Rescues on this server; removed by administrators only."})
    newest = fields.Nested(NewestRescueSchema, allow_none=True)


class VirtualAddressSchema(Schema):
    address = fields.String()
    interface = fields.String()
    held = fields.Boolean(metadata={"description": "It is on this server now."})
    holders = fields.List(fields.String(), metadata={"description": "The servers that are seen to hold it."})


class StatusSchema(Schema):
    node = fields.Nested(NodeStatusSchema)
    peer = fields.Nested(PeerStatusSchema, allow_none=True)
    status = fields.String(metadata={"enum": STATUS_WORDS})
    reasons = fields.List(fields.Nested(ReasonSchema))
    failover = fields.Nested(FailoverSchema)
    term = fields.Integer()
    fenced = fields.Dict(allow_none=True, metadata={"description": "Why this server refuses writes, or null."})
    replication = fields.Dict(allow_none=True)
    files = fields.Dict(allow_none=True)
    pings = fields.Dict(allow_none=True)
    alarms = fields.List(fields.Dict())
    database = fields.Dict(allow_none=True)
    rescues = fields.Nested(RescueCountSchema, allow_none=True)
    virtual_address = fields.Nested(VirtualAddressSchema, allow_none=True)
    monitor = fields.Dict()
    protection = fields.Dict()
    job = fields.Nested(RunningJobSchema, allow_none=True)
