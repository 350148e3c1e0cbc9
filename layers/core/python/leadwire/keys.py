"""THE TABLE ON ONE PAGE: every key is made by one function here, and nowhere else. `t#` stands for `T#<tenant>#`.

| item                     | pk                       | sk       | index                            | answers                     |
|--------------------------|--------------------------|----------|----------------------------------|-----------------------------|
| tenant                   | t#TENANT                 | TENANT   | g1 TENANTS / slug                | settings                    |
| slug claim               | SLUG#slug                | SLUG     |                                  | a slug names one tenant     |
| counter                  | t#COUNTER#name           | COUNTER  |                                  | the next number             |
| api key                  | KEY#sha256               | KEY      | g1 t#KEYS / key id               | who, may, how often         |
| company meter            | t#METER#family           | METER    |                                  | the key that counts for all |
| lead                     | t#LEAD#n                 | LEAD     | g1..g6 t#LEADS#<sort> / value, n | get; sort orders            |
| event                    | t#LEAD#n (its aggregate) | EVT#ulid | g1 t#JOURNAL#day / ulid          | outbox, timeline, audit     |
| message                  | t#LEAD#n                 | MSG#ulid |                                  | the conversation of a lead  |
| index chunk of a facet   | t#IX#facet               | chunk    |                                  | list engine: sets of leads  |
| index chunk of a token   | t#TOK#<kind, 2 chars>    | token/ch |                                  | list engine: prefix search  |
| names of facets, tokens  | t#FACETS, t#TOKENS       | facet    |                                  | verify and rebuild          |
| pending lead             | t#PENDING#shard          | number   |                                  | written, maybe not indexed  |
| identity                 | t#ID#email#x, #phone#x   | ID       |                                  | leads that share a key (D6) |
| idempotency record       | t#IDEM#hash              | IDEM     |                                  | the stored answer (D8)      |
| rest of a large answer   | t#IDEM#hash              | PART#n   |                                  | what one item does not hold |
| bulk deletion            | t#JOB#id                 | JOB      |                                  | how far it has come         |
| its leads                | t#SET#id                 | chunk    |                                  | which it is about           |
| bulk import              | t#IMPORT#hash            | IMPORT   |                                  | how far it has come (D8)    |
| step of a bulk create    | t#BULK#hash              | STEP#row |                                  | what it has made (D8)       |
| import of a file         | t#FILE                   | id       |                                  | how far it has come; all    |
| step of it               | t#ROWS#log               | row      |                                  | what it made; undo, errors  |
| list, chatbot, webhook   | t#LIST #CHATBOT #WEBHOOK | id       |                                  | all of a kind in one query  |
| pipeline, stage, user    | t#PIPELINE #STAGE #USER  | n        |                                  | all of a kind in one query  |
| form, automation         | t#FORM #AUTOMATION       | n        |                                  | all of a kind in one query  |
| integration              | t#INTEGRATION            | n        |                                  | all of a kind in one query  |
| tag                      | t#TAG                    | name     |                                  | all; is this one known?     |
| claim of a value         | t#CLAIM#kind#value       | CLAIM    |                                  | a value names one record    |
| merged lead              | t#LEAD#n                 | MERGED   |                                  | who survived; what to undo  |
| submission of a form     | t#LEAD#n                 | SUB#ulid |                                  | what was sent, by whom      |
| delivery                 | t#DLV#id                 | DLV      | g1 t#LOG#endpoint / ulid         | state; an endpoint's log    |
|                          |                          |          | g2 DUE#shard / time              | what is due, of all tenants |
|                          |                          |          | g3 t#LOG#endpoint / ulid         | held for its endpoint       |
|                          |                          |          | g3 t#GIVENUP#endpoint / ulid     | exhausted: to recover       |
| attempt                  | t#DLV#id                 | ATT#nnn  |                                  | failures, and long answers  |
| event of an endpoint     | t#LOG#endpoint           | EVT#ulid | g1 t#JOURNAL#day / ulid          | what operators are told     |
| run of an automation     | t#RUN#id                 | RUN      | g1 t#RUNS#automation / ulid      | what it did, and why        |
|                          |                          |          | g2 DUE#shard / time              | what is due, of all tenants |
| runs of a lead           | t#LEAD#n                 | RATE#min |                                  | how many in this minute     |
| idle lead                | t#IDLE#automation#n      | IDLE     | g2 DUE#shard / time              | when it has been too long   |
| health                   | HEALTH                   | HEALTH   |                                  | never written: is it there? |

Tenant items begin with `tenant_prefix`, which `store/table.py` checks on every call. Five keys stand outside: the API
key (it finds the tenant), the slug claim (unique over tenants), the index of all tenants (for operators), the due index
(swept for all tenants at once), and the one that the health check asks for.
"""

from __future__ import annotations

from .store.types import Item, Key

SEPARATOR = "\x1f"
"""Sorts below every printable character, so that "Ann" comes before "Ann B" whatever follows it."""

TOKEN_PREFIX = 3
"""Characters of a search token that make its partition: its kind and two of the text."""

DUE_SHARDS = 8
ATTEMPT = "ATT#"


def tenant_prefix(tenant: str) -> str:
    return f"T#{tenant}#"


def tenant_of(pk: str) -> str:
    """The tenant of a partition key that begins with a tenant's prefix."""
    return pk.split("#", 2)[1]


def tenant(tenant: str) -> Key:
    return Key(f"T#{tenant}#TENANT", "TENANT")


def tenants() -> str:
    """All tenants, by slug."""
    return "TENANTS"


def slug(slug: str) -> Key:
    return Key(f"SLUG#{slug}", "SLUG")


def counter(tenant: str, name: str) -> Key:
    return Key(f"T#{tenant}#COUNTER#{name}", "COUNTER")


def api_key(sha256: str) -> Key:
    return Key(f"KEY#{sha256}", "KEY")


def api_keys(tenant: str) -> str:
    return f"T#{tenant}#KEYS"


def company_meter(tenant: str, family: str) -> Key:
    return Key(f"T#{tenant}#METER#{family}", "METER")


def lead(tenant: str, number: int) -> Key:
    return Key(f"T#{tenant}#LEAD#{number}", "LEAD")


def lead_sort(tenant: str, sort: str) -> str:
    """The partition of one sort order of a tenant's leads: created, updated, score, first_name, last_name, email."""
    return f"T#{tenant}#LEADS#{sort}"


def lead_sort_value(value: str, number: int) -> str:
    """Ties break by number."""
    return f"{value}{SEPARATOR}{numbered(number)}"


def number_of(sort_key: str) -> int:
    """The number in a sort key of `lead_sort_value`."""
    return int(sort_key.rpartition(SEPARATOR)[2])


def created_edge(ms: int, *, last: bool) -> str:
    """Below or above every sort key of the created order at this epoch millisecond."""
    return f"{ms:015d}{SEPARATOR if not last else SEPARATOR + '~'}"


def merged(tenant: str, number: int) -> Key:
    return Key(f"T#{tenant}#LEAD#{number}", "MERGED")


def submission(tenant: str, number: int, ulid: str) -> Key:
    return Key(f"T#{tenant}#LEAD#{number}", f"SUB#{ulid}")


def event(tenant: str, number: int, ulid: str) -> Key:
    return Key(f"T#{tenant}#LEAD#{number}", f"EVT#{ulid}")


def message(tenant: str, number: int, ulid: str) -> Key:
    return Key(f"T#{tenant}#LEAD#{number}", f"MSG#{ulid}")


def journal(tenant: str, day: str) -> str:
    """The events of one UTC day, `day` as 2026-11-21; the index's sort key is the event's ulid."""
    return f"T#{tenant}#JOURNAL#{day}"


def facet(tenant: str, facet: str) -> str:
    return f"T#{tenant}#IX#{facet}"


def facet_chunk(tenant: str, facet: str, chunk: int) -> Key:
    return Key(f"T#{tenant}#IX#{facet}", _chunk(chunk))


def facet_name(tenant: str, facet: str) -> Key:
    return Key(f"T#{tenant}#FACETS", facet)


def token_prefix(token: str) -> str:
    """What tokens are partitioned by: their kind and two characters."""
    return token[:TOKEN_PREFIX]


def token_partition(tenant: str, token: str) -> str:
    return f"T#{tenant}#TOK#{token_prefix(token)}"


def token_chunk(tenant: str, token: str, chunk: int) -> Key:
    return Key(token_partition(tenant, token), f"{token}{SEPARATOR}{_chunk(chunk)}")


def token_prefixes(tenant: str) -> Key:
    return Key(f"T#{tenant}#TOKENS", "TOKENS")


def _chunk(chunk: int) -> str:
    return f"{chunk:08d}"


def chunk_of(sk: str) -> int:
    """The chunk in the sort key of a facet's or a token's chunk."""
    return int(sk[-8:])


def token_of(sk: str) -> str:
    """The token in the sort key of a token's chunk."""
    return sk.rpartition(SEPARATOR)[0]


def pending(tenant: str, shard: int) -> str:
    return f"T#{tenant}#PENDING#{shard}"


def pending_lead(tenant: str, number: int, shards: int) -> Key:
    """Pending leads are spread over shards by number, so that an import does not throttle one partition."""
    return Key(pending(tenant, number % shards), numbered(number))


def identity(tenant: str, kind: str, value: str) -> Key:
    """`kind` is email or phone, `value` its normal form."""
    return Key(f"T#{tenant}#ID#{kind}#{value}", "ID")


def idempotency(tenant: str, digest: str) -> Key:
    return Key(f"T#{tenant}#IDEM#{digest}", "IDEM")


def idempotency_part(tenant: str, digest: str, part: int) -> Key:
    return Key(f"T#{tenant}#IDEM#{digest}", f"PART#{part:02d}")


def bulk_job(tenant: str, job_id: str) -> Key:
    return Key(f"T#{tenant}#JOB#{job_id}", "JOB")


def bulk_import(tenant: str, reference: str) -> Key:
    """How far an import came that was sent under an Idempotency-Key."""
    return Key(f"T#{tenant}#IMPORT#{reference}", "IMPORT")


def bulk_step(tenant: str, reference: str, index: int) -> Key:
    """What the step that begins with this row of a bulk create made, sent under an Idempotency-Key."""
    return Key(f"T#{tenant}#BULK#{reference}", f"STEP#{index:06d}")


def file_imports(tenant: str) -> str:
    """How far each import of a file came."""
    return f"T#{tenant}#FILE"


def file_import_steps(tenant: str, log: str) -> str:
    """What the steps of an import of a file did; each import has a log of its own."""
    return f"T#{tenant}#ROWS#{log}"


def bulk_sets(tenant: str, set_id: str) -> str:
    return f"T#{tenant}#SET#{set_id}"


def bulk_set(tenant: str, set_id: str, chunk: int) -> Key:
    return Key(f"T#{tenant}#SET#{set_id}", _chunk(chunk))


def lists(tenant: str) -> str:
    return f"T#{tenant}#LIST"


def chatbots(tenant: str) -> str:
    return f"T#{tenant}#CHATBOT"


def pipelines(tenant: str) -> str:
    return f"T#{tenant}#PIPELINE"


def stages(tenant: str) -> str:
    return f"T#{tenant}#STAGE"


def users(tenant: str) -> str:
    return f"T#{tenant}#USER"


def forms(tenant: str) -> str:
    return f"T#{tenant}#FORM"


def automations(tenant: str) -> str:
    return f"T#{tenant}#AUTOMATION"


def integrations(tenant: str) -> str:
    return f"T#{tenant}#INTEGRATION"


def tags(tenant: str) -> str:
    return f"T#{tenant}#TAG"


def tag(tenant: str, name: str) -> Key:
    return Key(tags(tenant), name)


def claim(tenant: str, kind: str, value: str) -> Key:
    """`kind` is what the value is of: a user's e-mail, a form's slug."""
    return Key(f"T#{tenant}#CLAIM#{kind}#{value}", "CLAIM")


def numbered(number: int) -> str:
    """The sort key of what has a number of its own in its tenant: pipelines, stages, tags, users, forms (D4)."""
    return f"{number:012d}"


def webhooks(tenant: str) -> str:
    return f"T#{tenant}#WEBHOOK"


def webhook(tenant: str, webhook_id: str) -> Key:
    return Key(webhooks(tenant), webhook_id)


def delivery(tenant: str, delivery_id: str) -> Key:
    return Key(f"T#{tenant}#DLV#{delivery_id}", "DLV")


def delivery_of(pk: str) -> str | None:
    """The delivery's id in a partition key that `delivery` made, None in any other."""
    kind, _, id_ = pk.split("#", 2)[2].partition("#")
    return id_ if kind == "DLV" else None


def attempt(tenant: str, delivery_id: str, attempt: int) -> Key:
    return Key(f"T#{tenant}#DLV#{delivery_id}", f"{ATTEMPT}{attempt:04d}")


def number_of_attempt(sk: str) -> int:
    return int(sk.removeprefix(ATTEMPT))


def parts_of_delivery(pk: str, log: str) -> dict[str, str]:
    """What the partition keys of a delivery, and of the log that it is in, say of it."""
    _, tenant, _, id_ = pk.split("#")
    return {"tenant": tenant, "id": id_, "webhook": log.rpartition("#")[2]}


def endpoint_log(tenant: str, webhook_id: str) -> str:
    return f"T#{tenant}#LOG#{webhook_id}"


def given_up(tenant: str, webhook_id: str) -> str:
    return f"T#{tenant}#GIVENUP#{webhook_id}"


def webhook_event(tenant: str, webhook_id: str, ulid: str) -> Key:
    return Key(f"T#{tenant}#LOG#{webhook_id}", f"EVT#{ulid}")


def run(tenant: str, run_id: str) -> Key:
    return Key(f"T#{tenant}#RUN#{run_id}", "RUN")


def run_of(key: Key) -> str:
    """The run's id in a key that `run` made."""
    return key.pk.rpartition("#")[2]


def runs(tenant: str, automation: int) -> str:
    """The runs of one automation; the index's sort key is the run's ulid."""
    return f"T#{tenant}#RUNS#{automation}"


def run_rate(tenant: str, number: int, minute: int) -> Key:
    return Key(f"T#{tenant}#LEAD#{number}", f"RATE#{minute}")


def idle(tenant: str, automation: int, number: int) -> Key:
    return Key(f"T#{tenant}#IDLE#{automation}#{number}", "IDLE")


def is_idle(key: Key) -> bool:
    """Whether `idle` made the key."""
    return key.sk == "IDLE"


def health() -> Key:
    """What the health check asks for: never written."""
    return Key("HEALTH", "HEALTH")


def due(shard: int) -> str:
    return f"DUE#{shard}"


def due_at(id_: str, ms: int) -> tuple[str, str]:
    """A place in the due index: a shard by the hex digits of an id, and the epoch millisecond."""
    return due(int(id_[:8], 16) % DUE_SHARDS), due_time(ms)


def due_time(ms: int) -> str:
    """The due index's sort key: epoch milliseconds that sort as text."""
    return f"{ms:015d}"


def indexed(**keys: tuple[str, str]) -> Item:
    """Index attributes: `indexed(g1=(pk, sk))` gives `{"g1pk": pk, "g1sk": sk}`."""
    return {
        f"{name}{part}": value for name, pair in keys.items() for part, value in zip(("pk", "sk"), pair, strict=True)
    }
