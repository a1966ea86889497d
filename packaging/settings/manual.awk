# Makes station.toml(5) of station.example.toml, so that each key is explained once.
# usage: awk -v version=X -f manual.awk station.example.toml
function safe(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    return text
}
# What was said before the line that is read now.
function said(  text) {
    text = safe(words)
    words = ""
    return text
}
BEGIN {
    print ".TH STATION.TOML 5 \"\" \"punnet " version "\" \"Punnet\""
    print ".SH NAME\nstation.toml \\- settings of a Punnet station"
    print ".SH SYNOPSIS\n.I /etc/punnet/station.toml\n.SH DESCRIPTION"
}
/^# / { words = words (words == "" ? "" : " ") substr($0, 3) }
/^$/ && words != "" { print ".PP\n" said() }
/^\[/ { print ".SH SECTION " safe($0) "\n" said() }
/^#[a-z]/ {
    equals = index($0, " = ")
    print ".TP\n\\fB" substr($0, 2, equals - 2) "\\fR" safe(substr($0, equals)) "\n" said()
}
END { print ".SH SEE ALSO\n.BR punnet (1)" }
