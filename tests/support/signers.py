"""Those who sign code: certificates of their own, and `lambent sign`."""

import datetime
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from support.server import ACCOUNT, BINARY, REGION

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class Signer:
    """A certificate and its key in files of `directory`; expired yesterday if asked for."""

    def __init__(self, directory, name, expired=False):
        self.name = name
        self.private_key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(self.private_key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(NOW - 10 * DAY)
            .not_valid_after(NOW - DAY if expired else NOW + DAY).sign(self.private_key, hashes.SHA256()))
        self.certificate_file = directory / f"{name}.pem"
        self.certificate_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        self.certificate_file.chmod(0o644)
        self.key_file = directory / f"{name}.key"
        self.key_file.write_bytes(self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.directory = directory

    @property
    def argument(self):
        """For `lambent serve`."""
        return f"--signing-profile={self.name}={self.certificate_file}"

    @property
    def arn(self):
        version = self.certificate.fingerprint(hashes.SHA256()).hex()[:10]
        return f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/{self.name}/{version}"

    def sign(self, zip_bytes):
        """The archive with this signer's signature in it."""
        plain, signed = self.directory / "plain.zip", self.directory / "signed.zip"
        plain.write_bytes(zip_bytes)
        lambent_sign(plain, "--certificate", self.certificate_file, "--key", self.key_file, "--output", signed)
        return signed.read_bytes()

    def detached(self, statement):
        """A CMS signature that another program's library made."""
        return (pkcs7.PKCS7SignatureBuilder().set_data(statement)
                .add_signer(self.certificate, self.private_key, hashes.SHA384())
                .sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]))


def lambent_sign(*arguments, status=0):
    """Runs `lambent sign`; what it printed."""
    done = subprocess.run([str(BINARY), "sign", *map(str, arguments)], capture_output=True, timeout=60)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout + done.stderr
