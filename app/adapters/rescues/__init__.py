"""The port Rescues: on the folders themselves as root, or through root's service from an account without rights."""

from app.adapters.rescues.folders import FolderRescues
from app.adapters.rescues.remote import RemoteRescues
from app.adapters.rescues.service import RescueService

__all__ = ["FolderRescues", "RemoteRescues", "RescueService"]
