"""The command behind a page about an organisation: the same GET as curl and as Python without a library."""

from rushes.playground.code import Sample
from rushes.playground.page import Page
from rushes.playground.screens.organisation import under


def call_samples(page: Page, rest: str) -> list[Sample]:
    """Programs that read `rest` below the visitor's organisation."""
    url = page.origin + under(page, rest)
    curl = f'curl "{url}" \\\n  -H "Authorization: Bearer $GMI_API_KEY"\n'
    python = (
        "import json\nimport os\nimport urllib.request\n\n"
        f'request = urllib.request.Request("{url}")\n'
        'request.add_header("Authorization", f"Bearer {os.environ[\'GMI_API_KEY\']}")\n'
        "with urllib.request.urlopen(request) as answer:\n    print(json.load(answer))\n"
    )
    return [Sample("curl", "curl", curl, "", "", "json"), Sample("python", "Python", python, "", "", "json")]
