"""The console's certificate: files that nginx reads, and root's service by which the API replaces them."""

from app.adapters.certificate.files import FileCertificate
from app.adapters.certificate.service import CertificateService, RemoteCertificate

__all__ = ["CertificateService", "FileCertificate", "RemoteCertificate"]
