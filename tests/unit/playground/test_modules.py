"""The scripts of a page are found by what its markup and their own statements say."""

from __future__ import annotations

import pytest
from rushes.playground.assets import Assets
from rushes.playground.modules import Modules

SOURCES = {
    "main.js": 'import { start } from "./shell.js";\nstart();\n',
    "shell.js": '/** @param {import("./unloaded.js").Kind} kind */\nexport const start = (kind) => {};\n',
    "unloaded.js": "export {};\n",
    "rows.js": 'import { bind, put } from "./bind.js";\nimport "./elements/row.js";\nexport * from "./words.js";\n',
    "bind.js": "export const text = 'import \"./unloaded.js\";';\n",
    "words.js": 'import { rows } from "./rows.js";\n',
    "stream.js": "onconnect = () => {};\n",
    "elements/row.js": 'import { bind } from "../bind.js";\nconst WORKER = new URL("../stream.js", import.meta.url);\n',
    "elements/list.js": 'import { rows } from "../rows.js";\n',
}


def test_a_page_runs_a_script_for_each_element_and_main_last() -> None:
    html = '<rushes-row></rushes-row><template><rushes-list data-of="x"></rushes-list></template><rushes-row>'
    assert Modules(SOURCES).entries(html) == ("elements/list.js", "elements/row.js", "main.js")


def test_words_of_visitors_and_elements_that_have_no_script_run_nothing() -> None:
    assert Modules(SOURCES).entries("&lt;rushes-row&gt; <rushes-none></rushes-none>") == ("main.js",)


def test_all_that_is_imported_is_found_once_also_around_in_a_circle() -> None:
    found = Modules(SOURCES).closure(("elements/list.js", "main.js"))
    assert sorted(found) == sorted(set(SOURCES) - {"unloaded.js"})
    assert len(found) == len(set(found))


def test_a_page_without_elements_loads_what_main_does() -> None:
    assert Modules(SOURCES).closure(("main.js",)) == ("main.js", "shell.js")


def test_an_import_of_what_is_not_there_is_an_error_when_the_server_starts() -> None:
    with pytest.raises(KeyError, match=r"gone\.js"):
        Modules({"main.js": 'import "./gone.js";\n'})


def test_the_scripts_of_this_version_import_one_another() -> None:
    modules = Assets().modules
    found = modules.closure(modules.entries("<rushes-history>"))
    assert {"main.js", "rows.js", "elements/request.js", "live.js", "stream.js"} <= set(found)
    assert "elements/form.js" not in found
