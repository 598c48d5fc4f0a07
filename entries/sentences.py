"""What readers, sources and requests say is wrong: kept in rows, recognised when a page shows it.

The code that raises them knows nothing of this; a law compares.
"""

from entries.phrases import Sentence

# --- files and tables --------------------------------------------------------------------------

FILES = (
    Sentence("the file is empty"),
    Sentence("the file has only empty lines"),
    Sentence("the file has more than %(count)s bytes"),
    Sentence("the file has more than %(count)s rows"),
    Sentence("the file has more than %(count)s cells"),
    Sentence("reading the file takes more than %(count)s seconds"),
    Sentence("the file is binary, or not in %(encoding)s"),
    Sentence("the file is not in UTF-16, as its byte order mark says"),
    Sentence("there is no encoding %(encoding)s"),
    Sentence(
        "line %(line)s: %(error)s; a quotation mark is missing or not doubled in the row that "
        "begins in line %(start)s"
    ),
    Sentence("line %(line)s is not in %(encoding)s; set the option encoding"),
    Sentence(
        "the row that reaches line %(line)s is longer than %(count)s characters; a quotation mark "
        "may be missing"
    ),
    Sentence(
        "the row that begins in line %(start)s and reaches line %(line)s is longer than %(count)s "
        "characters; a quotation mark may be missing"
    ),
    Sentence('there is no column "%(name)s"; the header has: %(names)s'),
    Sentence("the header has more than %(count)s columns"),
    Sentence("column %(number)s of the header has no name"),
    Sentence('%(count)s columns are called "%(name)s"'),
    Sentence("the file is one JSON list, not an object a line"),
    Sentence("%(count)s in the registry left out: not there, or not failed any more"),
    Sentence("only the newest failures were read: there are more than a million"),
    Sentence("%(count)s without name and arguments: set result_extended in the installation"),
    Sentence("broken JSON at item %(number)s: %(why)s"),
    Sentence("broken JSON: there is more after the list"),
    Sentence("item %(number)s is longer than %(count)s characters"),
    Sentence("none of the first %(count)s rows can be used (%(why)s)"),
    Sentence("there is no file %(file)s"),
    Sentence("%(file)s cannot be read: %(why)s"),
    Sentence("%(file)s is not the name of an uploaded file"),
    Sentence(
        "%(file)s is not the full path of a file in a folder that sources may be read from; "
        "REDRIVE_SOURCE_DIRS names those (now: %(folders)s)"
    ),
    Sentence("%(file)s is not an ordinary file"),
    Sentence("%(file)s is not a path"),
)

# --- workbooks ---------------------------------------------------------------------------------

WORKBOOKS = (
    Sentence("the file is not an Excel workbook"),
    Sentence("the file is not an Excel workbook; it must be saved as .xlsx"),
    Sentence("the file is not an Excel workbook; an older .xls must be saved as .xlsx"),
    Sentence("the file is an .xlsb; it must be saved as .xlsx"),
    Sentence("there are more than %(count)s of them"),
    Sentence("the workbook has more than %(count)s sheets"),
    Sentence("the workbook has more than %(count)s texts"),
    Sentence("the workbook has more parts than a workbook needs"),
    Sentence("the workbook is damaged: %(why)s"),
    Sentence("the workbook is damaged: there is no %(part)s in it"),
    Sentence("the workbook is damaged: there is no shared text %(number)s"),
    Sentence("the workbook is damaged (%(why)s)"),
    Sentence("the workbook is compressed in a way that Excel does not use"),
    Sentence("%(part)s unpacks to %(size)s bytes, more than %(limit)s"),
    Sentence("a row has more than %(count)s cells"),
    Sentence("there is no sheet %(name)s; there are: %(names)s"),
    Sentence("the sheet is empty"),
    Sentence("the sheet in front has no cells"),
    Sentence("the header in row %(row)s holds %(fault)s"),
    Sentence("the workbook's XML has a DTD, which Excel does not write"),
    Sentence("%(part)s takes more than %(count)s bytes of XML"),
)

# --- rows and items ----------------------------------------------------------------------------

ROWS = (
    Sentence("a NUL character"),
    Sentence("more cells than columns"),
    Sentence("longer than %(count)s characters"),
    Sentence("longer than %(count)s bytes"),
    Sentence("not in UTF-8"),
    Sentence("not JSON"),
    Sentence("not a JSON object"),
    Sentence("more than %(count)s keys"),
    Sentence("half a character (a lone surrogate)"),
    Sentence("nested deeper than %(count)s levels"),
    Sentence("nested too deep"),
    Sentence("a repeated key"),
    Sentence("a number with too many digits"),
    Sentence("an invalid number"),
    Sentence("an invalid date"),
    Sentence("a comma or ] is missing after it"),
    Sentence("the file ends within it"),
    Sentence("without an id"),
    Sentence("without id, link, title and text"),
    Sentence("its id has bytes that cannot be decoded"),
    Sentence("the id is longer than %(count)s characters"),
    Sentence("the id is repeated; the first item counts"),
    Sentence("the payload is not a JSON object"),
    Sentence("the payload cannot be stored: %(why)s"),
    Sentence("for other reasons"),
    Sentence("larger than %(count)s bytes as JSON"),
    Sentence("a key is %(type)s, JSON has only text keys"),
    Sentence("%(type)s is not JSON"),
)

# --- feeds and JSON APIs -----------------------------------------------------------------------

ANSWERS = (
    Sentence("the answer is empty"),
    Sentence("the answer is JSON, but not a JSON Feed"),
    Sentence('the JSON Feed has no list of "items"'),
    Sentence("the answer is XML, but neither RSS, Atom, RDF nor CDF"),
    Sentence("neither XML nor JSON (%(why)s)"),
    Sentence("broken XML: %(why)s"),
    Sentence("broken XML in %(where)s"),
    Sentence("elements are nested over %(count)s deep"),
    Sentence("the attribute %(name)s is too long"),
    Sentence("the document is <%(name)s>, not a feed"),
    Sentence("cannot be read as a feed: %(why)s"),
    Sentence("the source says that it has not changed, without conditions"),
    Sentence("more than %(count)s lists and objects"),
    Sentence("broken JSON: not UTF-8 at byte %(number)s"),
    Sentence("broken JSON in line %(line)s, column %(column)s: %(why)s"),
    Sentence("broken JSON: nested too deep, or a number with too many digits"),
    Sentence("more than %(count)s pages (see max_pages)"),
    Sentence("the answer is %(type)s, not a list; the option items says where it is"),
    Sentence("the answer has %(type)s at %(place)s, not a list"),
    Sentence("the document declares an entity of its own (%(name)s)"),
    Sentence("the source kind %(kind)s failed with %(error)s"),
    Sentence("bytes that are not valid %(codec)s became U+FFFD, the first at byte %(number)s"),
    Sentence("1 date could not be read, such as %(example)s"),
    Sentence("%(count)s dates could not be read, such as %(example)s"),
    Sentence("page %(number)s is the same as an earlier one"),
    Sentence("page %(number)s gives %(type)s as its next page"),
    Sentence("page %(number)s gives a next page that cannot be decoded"),
    Sentence("page %(number)s does not exist (%(why)s), so the pages end before it"),
    Sentence("the next page: %(why)s"),
    Sentence("the next page is on another server, %(host)s"),
    Sentence("the answer for %(id)s is %(why)s"),
    Sentence("asked for %(id)s, the API gave %(other)s"),
    Sentence("HTTP %(status)s: only a part, which was not requested"),
    Sentence("the options must be a JSON object"),
    Sentence("the source %(source)s is disabled"),
    Sentence("no kind is registered as %(kind)s; registered: %(kinds)s"),
)

# --- requests ----------------------------------------------------------------------------------

REQUESTS = (
    Sentence("encoded as %(encoding)s, which was not requested"),
    Sentence("the compressed answer is incomplete"),
    Sentence("the compressed answer is damaged"),
    Sentence("more than %(count)s bytes"),
    Sentence("more than %(count)s bytes from %(address)s"),
    Sentence("%(host)s is at %(address)s, which is not a public address"),
    Sentence("no connection to %(address)s: %(why)s"),
    Sentence("cannot be requested, %(address)s: %(why)s"),
    Sentence("no proper HTTP from %(address)s: %(why)s"),
    Sentence("a header has characters that HTTP does not allow"),
    Sentence("more than %(count)s redirects from %(address)s"),
    Sentence("redirected in a loop at %(address)s"),
    Sentence("the name %(host)s could not be resolved"),
    Sentence("the trailers or the extensions of chunks are too long"),
    Sentence("the server hung up in the middle of the answer"),
    Sentence("there is no end of the headers"),
    Sentence("only absolute http and https URLs are fetched, not %(scheme)s"),
    Sentence("not a valid URL: there is no such port"),
    Sentence("not a valid URL: %(why)s"),
    Sentence("HTTP %(status)s from %(address)s"),
    Sentence("timed out after %(seconds)s s fetching %(address)s"),
    Sentence("timed out after %(seconds)s s sending to %(address)s"),
    Sentence("the connection broke while fetching %(address)s: %(why)s"),
    Sentence("the connection broke while sending to %(address)s: %(why)s"),
    Sentence("%(size)s bytes, more than %(count)s from %(address)s"),
    Sentence("the compressed answer is incomplete from %(address)s"),
    Sentence("the compressed answer is damaged from %(address)s"),
    Sentence("encoded as %(encoding)s, which was not requested from %(address)s"),
    Sentence("the server hung up in the middle of the headers"),
    Sentence("the server hung up without an answer"),
)

# --- notes of a sync ---------------------------------------------------------------------------

NOTES = (
    Sentence("%(count)s item left out: %(why)s"),
    Sentence("%(count)s items left out: %(why)s"),
    Sentence("%(count)s item left out: %(why)s, such as %(example)s"),
    Sentence("%(count)s items left out: %(why)s, such as %(example)s"),
    Sentence("line %(number)s"),
    Sentence("row %(number)s"),
    Sentence("item %(number)s"),
    Sentence("nothing was marked as gone: some of the source could not be read"),
    Sentence("not all of its source could be read, and it was not in the rest"),
    Sentence("the workbook's styles cannot be read, so dates may come as numbers: %(why)s"),
    Sentence("a Link header names a next page, which was not read: %(why)s"),
)

# --- what people type: filters, patches --------------------------------------------------------

TYPED = (
    Sentence("must be one of: %(names)s"),
    Sentence("must be 1 to %(count)s values"),
    Sentence("must be 1 to %(count)s ids"),
    Sentence("must be ids of entries, such as 41,42"),
    Sentence("must be texts of 1 to 40 characters without spaces and commas"),
    Sentence("must be a number of minutes, hours or days, such as 15m, 24h or 7d"),
    Sentence(
        "must be a time with its time zone, such as 2026-01-31T12:00:00Z, at most 14 hours from "
        "UTC (in an address, write + as %%2B)"
    ),
    Sentence("must be a path and a value, such as customer=17"),
    Sentence("a path needs keys on both sides of each dot"),
    Sentence("a path has at most %(count)s characters"),
    Sentence("a path has at most %(count)s parts"),
    Sentence("a path must not contain control characters"),
    Sentence("give 1 to %(count)s paths"),
    Sentence("a list needs 1 to %(count)s values"),
    Sentence('must not be empty; write "" for an empty text'),
    Sentence("%(name)s is given more than once"),
    Sentence("must be text, a number, true, false, null, or a list of these"),
    Sentence("a text has at most %(count)s characters"),
    Sentence("must not contain NUL characters or lone surrogates"),
    Sentence("a number has at most %(count)s digits"),
    Sentence("a number must be finite"),
    Sentence("a JSON Patch is a list of operations: [{…}]"),
    Sentence("a JSON Patch has 1 to %(count)s operations"),
    Sentence("the patch contains a value that JSON or PostgreSQL cannot store"),
    Sentence("the patch copies more than %(count)s bytes"),
    Sentence("%(place)s is not what the patch tests for"),
    Sentence("give a patch or the name of a repair"),
    Sentence("this is no JSON Patch: %(why)s"),
    Sentence("no kind has a repair called “%(name)s”"),
    Sentence("the kind %(kind)s has no repair “%(name)s”"),
    Sentence("the kind %(kind)s cannot check it: %(why)s"),
    Sentence("it cannot be stored: %(why)s"),
    Sentence("the result is no JSON object to store"),
    Sentence("the payload stays as it is"),
    Sentence("a secret begins with %(prefix)s"),
    Sentence("after %(prefix)s a secret is base64"),
    Sentence("a secret has %(least)s to %(most)s bytes, this one has %(count)s"),
    Sentence(
        "user and password do not belong in the address: deliveries are signed, which shows where "
        "they come from"
    ),
)

# --- payloads, options, and what is adopted from other installations ---------------------------

ADOPTION = (
    Sentence("the location is not an address"),
    Sentence("the location must be an address such as %(example)s"),
    Sentence("after the place, the location has only the number of the database"),
    Sentence("%(place)s may not be connected to: name it in REDRIVE_RQ_HOSTS"),
    Sentence("%(place)s may not be connected to: name it in REDRIVE_CELERY_HOSTS"),
    Sentence("option broker: %(problem)s"),
    Sentence("option prefix: only for Redis, queues of RabbitMQ have none"),
    Sentence("the broker is not an address"),
    Sentence("the broker must be an address such as %(example)s"),
    Sentence(
        "the broker must be one address, without spaces; a semicolon in a password must be encoded"
    ),
    Sentence("the Redis at %(place)s refused: %(error)s"),
    Sentence("the Redis at %(place)s did not answer: %(error)s"),
    Sentence("option queues: %(queue)s is not a queue that can be adopted"),
    Sentence('"%(name)s" must be a text'),
    Sentence('"%(name)s" must be the slug of an endpoint: letters, digits, "-" and "_"'),
    Sentence("unknown option %(name)s"),
)

# --- entries -----------------------------------------------------------------------------------

NEVER_TRIED = Sentence("stopped before its first attempt")
