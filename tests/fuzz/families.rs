//! The families of formats: a small parser each, what its format means something by, and one good record.

/// A format and its small parser.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    /// What follows `[match]`.
    pub(crate) spec: &'static str,
    /// What stands before the records.
    pub(crate) header: &'static str,
    /// A record that gives a document.
    pub(crate) good: &'static str,
    /// What every hostile line begins with, where a line must begin a record.
    pub(crate) start: &'static str,
    pub(crate) pieces: &'static [&'static str],
    /// Whether a line without line feeds can be no more than one record.
    pub(crate) is_lines: bool,
}

const fn lines(
    name: &'static str,
    spec: &'static str,
    good: &'static str,
    pieces: &'static [&'static str],
) -> Family {
    Family {
        name,
        spec,
        header: "",
        good,
        start: "",
        pieces,
        is_lines: true,
    }
}

const HEAD: &str = r#"
[source]
dataset = "aws.test"
title = "Test"
reference = "https://example.com"
index = "log-aws-test"
[match]
keys = ["**"]
"#;

/// What a small parser does with the columns that it may have.
const MAP: &[(&str, &[&str])] = &[
    (
        "[addresses]",
        &["peer = \"ip\"", "forwarded = \"forwarded\""],
    ),
    ("[request]", &["line = \"request\""]),
    ("[user_agent]", &["from = \"agent\""]),
    ("[outcome]", &["status = \"status\""]),
    (
        "[types]",
        &[
            "\"status\" = \"long\"",
            "\"when\" = \"date\"",
            "\"more\" = \"flat_object\"",
        ],
    ),
    ("[fields]", &["\"url.domain\" = \"host\""]),
];

impl Family {
    /// The whole of the small parser: where its columns are known, only they are mapped.
    pub(crate) fn parser(&self) -> String {
        let known = [
            "delimited = [",
            "quoted = [",
            "csv = [",
            "dissect =",
            "regex =",
        ];
        let is_open =
            !known.iter().any(|way| self.spec.contains(way)) || self.spec.contains("or_json");
        let mut parser = format!("{HEAD}{}", self.spec);
        for (table, lines) in MAP {
            let may_be = |line: &&&str| is_open || line.split('"').any(|name| self.names(name));
            let mut lines = lines.iter().filter(may_be).peekable();
            if lines.peek().is_some() {
                parser.extend([*table, "\n"]);
            }
            for line in lines {
                parser.extend([*line, "\n"]);
            }
        }
        parser
    }

    fn names(&self, name: &str) -> bool {
        let forms = [
            format!("\"{name}\""),
            format!("<{name}>"),
            format!("{{{name}}}"),
            format!("{{{name}->}}"),
        ];
        !name.trim().is_empty() && forms.iter().any(|form| self.spec.contains(form))
    }
}

const JSON: &[&str] = &[
    "{\"ip\":",
    "\"status\":",
    "\"more\":{",
    "\"more\":[",
    "\"when\":",
    "{\"Records\":[",
    "]}",
    "},{",
    "}\n{",
    "\\u0000",
    "\\ud800",
    "\"ip\":\"192.0.2.1\"",
    "\"status\":\"x\",",
    "\"a.b\":1,",
    "\"\":{}",
    "{\"ip\":\"192.0.2.1\",\"status\":200}",
    "[[",
    "\n",
];

const ENVELOPES: &[&str] = &[
    "{\"detail-type\":\"a\",\"detail\":",
    "{\"Type\":\"Notification\",\"Message\":\"",
    "{\\\"ip\\\":\\\"192.0.2.1\\\"}",
    "\"}",
    "{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[",
    "{\"id\":\"1\",\"timestamp\":1,\"message\":\"",
    "\"},",
    "]}",
    "{\"messageType\":\"CONTROL_MESSAGE\",\"logEvents\":[",
    "{\"container_id\":\"c\",\"log\":\"",
    "{\"ip\":\"192.0.2.1\"}",
    "\n",
    "}",
];

pub(crate) const FAMILIES: &[Family] = &[
    lines(
        "delimited",
        "[record]\nformat = \"lines\"\n[[tokens]]\ndelimited = [\"ip\", \"status\", \"host\", \"agent\"]\nrequire = 2\n",
        "192.0.2.9 200 www.example.com curl/8",
        &["192.0.2.1 404 "],
    ),
    lines(
        "quoted",
        "[record]\nformat = \"lines\"\n[[tokens]]\nquoted = [\"ip\", \"when\", \"request\", \"status\", \"agent\", \"forwarded\"]\nrequire = 4\n",
        "192.0.2.9 [2026-11-23T10:15:00Z] \"GET /a?b=c HTTP/1.1\" 200 \"curl/8\" -",
        &["192.0.2.1 [", "] \"", "\" \"", "\" 200 \""],
    ),
    lines(
        "csv",
        "[record]\nformat = \"lines\"\n[[tokens]]\ncsv = [\"ip\", \"status\", \"host\", \"agent\"]\nrequire = 2\n",
        "192.0.2.9,200,\"www.example.com\",\"a \"\"b\"\"\"",
        &["192.0.2.1,", ",\"", "\",", "\"\","],
    ),
    lines(
        "kv",
        "[record]\nformat = \"lines\"\n[[tokens]]\nkv = { separator = \" \", assign = \"=\" }\n",
        "ip=192.0.2.9 status=200 host=\"www.example.com\"",
        &["ip=", " status=", "=\"", " more=", " a.b="],
    ),
    lines(
        "dissect",
        "[record]\nformat = \"lines\"\n[[tokens]]\ndissect = \"%{ip->} [%{when}] %{status}: %{request}\"\n",
        "192.0.2.9  [2026-11-23T10:15:00Z] 200: GET / HTTP/1.1",
        &["192.0.2.1 [", "] ", ": "],
    ),
    lines(
        "cef",
        "[record]\nformat = \"lines\"\n[[tokens]]\ncef = true\n",
        "CEF:0|Vendor|Product|1|100|Name|5|ip=192.0.2.9 status=200 msg=a b c",
        &[
            "CEF:0|",
            "|a|b|c|d|e|5|",
            "ip=",
            " status=",
            " msg=",
            "cs1Label=x cs1=",
            "\\=",
            "\\n",
            "<13>Nov 23 10:15:00 host ",
        ],
    ),
    lines(
        "regex",
        "[record]\nformat = \"lines\"\n[[tokens]]\nregex = '^(?<ip>\\S+) (?<status>\\d+) (?<host>[^\"]*)( \"(?<agent>.*)\")?$'\n",
        "192.0.2.9 200 www.example.com \"curl/8\"",
        &["192.0.2.1 200 ", "\""],
    ),
    lines(
        "ndjson",
        "[record]\nformat = \"ndjson\"\n",
        "{\"ip\":\"192.0.2.9\",\"status\":200,\"more\":{\"a\":[1]}}",
        JSON,
    ),
    lines(
        "or_json",
        "[record]\nformat = \"lines\"\nor_json = true\n[[tokens]]\ndelimited = [\"ip\", \"status\"]\n",
        "192.0.2.9 200",
        JSON,
    ),
    Family {
        name: "columns",
        spec: "[record]\nformat = \"delimited\"\ncolumns = [\"ip\", \"status\", \"host\"]\n",
        header: "status host ip\n",
        good: "200 www.example.com 192.0.2.9",
        start: "",
        pieces: &["200 ", "a b 192.0.2.1"],
        is_lines: true,
    },
    Family {
        name: "w3c",
        spec: "[record]\nformat = \"delimited\"\nseparator = \"\\t\"\nfields_line = \"#Fields:\"\ncomment = \"#\"\n",
        header: "#Version: 1.0\n#Fields: status host ip\n",
        good: "200\twww.example.com\t192.0.2.9",
        start: "",
        pieces: &["200\t", "#Software: x", "\t\t"],
        is_lines: true,
    },
    Family {
        name: "csv_framing",
        spec: "[record]\nformat = \"csv\"\ncolumns = [\"ip\", \"status\", \"agent\"]\n",
        header: "status,\"agent\",ip\n",
        good: "200,\"a b\",192.0.2.9",
        start: "",
        pieces: &["200,\"", "\",192.0.2.1", ",", "\"\"", ",\""],
        is_lines: true,
    },
    Family {
        name: "multiline",
        spec: "[record]\nformat = \"multiline\"\nfirst_line = '^20\\d\\d-'\n[[tokens]]\nregex = '(?s)^(?<when>\\S+) (?<ip>\\S+) (?<agent>.*)$'\n",
        header: "",
        good: "2026-11-23T10:15:00Z 192.0.2.9 one\n\tat two",
        start: "2026-11-23T10:16:00Z ",
        pieces: &["\tat ", "2026-", "Caused by:"],
        is_lines: true,
    },
    Family {
        name: "json",
        spec: "[record]\nformat = \"json\"\nrecords = \"Records\"\n",
        header: "",
        good: "{\"ip\":\"192.0.2.9\",\"status\":200,\"more\":{\"a\":[1]}}",
        start: "",
        pieces: JSON,
        is_lines: false,
    },
    Family {
        name: "envelopes",
        spec: "[record]\nformat = \"json\"\nunwrap = [\"eventbridge\", \"sns\", \"cloudwatch_logs\", \"firelens\"]\n",
        header: "",
        good: "{\"detail-type\":\"a\",\"detail\":{\"ip\":\"192.0.2.9\",\"status\":200}}",
        start: "",
        pieces: ENVELOPES,
        is_lines: false,
    },
];
