"""What an object store answered, from the words of the library that asked it, and what that means. Asks nothing."""

import re
from dataclasses import dataclass
from typing import Final

from taskspec.errors import StateError
from taskspec.state.registers.port import AwayError

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w{1,64})</Code>")
_UNSENT: Final = re.compile(r"kind: (Connect|Builder)\b|dns error|tcp connect error|invalid peer certificate")
_DETAILS: Final = "\n\nDebug source:"
_METADATA: Final = re.compile(r"169\.254\.\d+\.\d+|\[fd00:ec2::|/latest/api/token|/latest/meta-data")
_REDIRECT: Final = "Received redirect without LOCATION"
"""What the library says itself: a bucket, a path or a page of a proxy may hold any other word."""
_CONFLICTS: Final = frozenset({404, 409, 412})
_LARGEST_REFUSAL: Final = 499
_LONGEST: Final = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of a request."""

    status: int | None
    """None where no answer came that has one."""
    code: str
    """What S3 calls it."""
    unsent: bool
    """The request has not left: there was no connection."""
    plain: bool
    """The request has not left, because it would have left without TLS."""
    untrusted: bool
    """The request has not left, because the server's certificate is not trusted."""
    text: str

    @property
    def is_conflict(self) -> bool:
        """Tell whether the condition of a write was not met."""
        return self.status in _CONFLICTS and self.code != "NoSuchBucket"

    @property
    def is_missing(self) -> bool:
        """Tell whether the object is not there, though its bucket is."""
        return self.status == 404 and self.code != "NoSuchBucket"

    @property
    def is_uncertain(self) -> bool:
        """Tell whether a write may have happened all the same."""
        if self.unsent or _REDIRECT in self.text or _METADATA.search(self.text):
            return False
        return self.status is None or self.status > _LARGEST_REFUSAL or self.status in {408, 429}


def answer_of(error: Exception) -> Answer:
    """Return what the error of a request tells."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    first = " ".join(text.partition(_DETAILS)[0].split())
    return Answer(
        status=int(status[1]) if status else None,
        code=code[1] if code else "",
        unsent=_UNSENT.search(text) is not None,
        plain="BadScheme" in text,
        untrusted="InvalidCertificate" in text or "invalid peer certificate" in text,
        text=first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…",
    )


def trouble(answer: Answer, place: str, bucket: str) -> StateError:
    """Return the error for an answer by which a state can be neither read nor written."""
    at = f"The state at {place}"
    if _METADATA.search(answer.text):
        return StateError(
            f"{at} cannot be reached: there are no credentials for it ({answer.text}).",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them. Profiles are not "
            "read: `aws configure export-credentials --format env` tells what they give.",
        )
    if answer.code == "NoSuchBucket":
        return StateError(
            f"{at} cannot be kept: there is no bucket {bucket}.", hint="Make the bucket, or name another."
        )
    if answer.status in {401, 403}:
        what = f" ({answer.code})" if answer.code else ""
        return StateError(
            f"{at} cannot be reached: the server denies access to bucket {bucket}{what}.",
            hint="Check the credentials, and that they may get, put, list and delete objects there.",
        )
    if _REDIRECT in answer.text or answer.code in {"PermanentRedirect", "AuthorizationHeaderMalformed"}:
        return StateError(
            f"{at} cannot be reached: bucket {bucket} is in another region.",
            hint="Name its region: AWS_REGION, or `?region=` at the end of the place.",
        )
    if answer.plain:
        return StateError(
            f"{at} would be sent over http://: everybody on the way could read it.",
            hint="Name an endpoint that begins with https://, or add `allow_http=true` to the parameters of the place.",
        )
    if answer.untrusted:
        return StateError(
            f"{at} cannot be reached: the certificate of the server is not trusted.",
            hint="Check the endpoint; SSL_CERT_FILE names a file with the authorities that are trusted.",
        )
    if answer.unsent:
        return AwayError(
            f"{at} cannot be reached: nobody answers ({answer.text}).", hint="Check the network and the endpoint."
        )
    if answer.status is None or answer.is_uncertain:
        return AwayError(f"{at} gives no usable answer ({answer.text}).", hint="Run the command again a little later.")
    return StateError(f"{at} cannot be used ({answer.text}).", hint="Check the place, its region and its endpoint.")
