"""Runs where openai and replicate are installed: each verifies one delivery, read as JSON from standard input."""

import json
import sys

from openai import InvalidWebhookSignatureError, OpenAI
from replicate.webhook import Webhooks, WebhookSigningSecret, WebhookValidationError

told = json.load(sys.stdin)
body, headers, secret = told["body"], told["headers"], told["secret"]

client = OpenAI(api_key="none")
signing = WebhookSigningSecret(key=secret)


def openai_takes(text: str) -> bool:
    try:
        client.webhooks.verify_signature(text, headers, secret=secret)
    except InvalidWebhookSignatureError:
        return False
    return True


def replicate_takes(text: str) -> bool:
    try:
        Webhooks.validate(headers=headers, body=text, secret=signing)
    except WebhookValidationError:
        return False
    return True


found = {
    "openai": [openai_takes(body), openai_takes(body + " ")],
    "replicate": [replicate_takes(body), replicate_takes(body + " ")],
}
print(json.dumps(found))
