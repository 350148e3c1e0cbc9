"""Leadwire, the lead store that a business owns. This page is the map; each room says the rest itself.

    keys.py       the table on one page: every key is made by one function there
    store/        the port to the table (types), its engines (dynamodb, sqlite), the tenant's view of it (table)
    context.py    Ctx: tenant, actor, request, table, clock. Nothing works without it
    errors.py     every error by name, code and status           ids.py       numbers and their public spellings
    events.py     the catalogue of domain events, and their items settings.py  the environment, read once, typed
    ports.py      the ports to the world, and the one wiring      aws.py       those ports on AWS (queue, bus, KMS)
    tenants.py    tenants and their settings                      apikeys.py   keys, scopes, revocation
    admission.py  one update says who calls, what they may do and how often
    leads/        what a lead is and can do: model (pure), service (verbs), store (items), identity (who shares a key)
    webhooks/     endpoints, fan-out, signed delivery with retries
    automations/  triggers, conditions, actions, delays: runs, step by step
    forms/        forms and their submissions                     integrations/  what a tenant is connected with
    records.py    small resources with numbers: pipelines.py, stages.py, users.py …   journal.py  events in their order
    relay.py      events of the table's stream to the bus
    edge/         HTTP for every dialect: authentication, limits, strict requests, idempotency, one log line
    dialects/     public, chatbot, lists, crm: each translates one published API and decides nothing

Arrows (import-linter holds them):

    functions ─▶ edge, dialects, workers' modules      nothing ─▶ local; no dialect ─▶ another dialect
    dialects  ─▶ edge, services, models, errors        leads never ─▶ edge, dialects, boto3
    services  ─▶ model, store, events, other services  only store/dynamodb.py and aws.py ─▶ boto3
    stores    ─▶ keys, store

Read next: keys.py, events.py, leads/service.py, dialects/lists/leads.py, docs/flows.md.
"""

VERSION = "0.1.0"
