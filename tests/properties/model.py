"""The list engine's model: a dictionary of leads and the obvious way to list them. It knows nothing of the index."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery


@dataclass
class Model:
    """Leads by number, as their verbs returned them."""

    leads: dict[int, Lead] = field(default_factory=dict)

    def numbers(self, query: LeadQuery) -> list[int]:
        """Every number of the list, in its order, over all pages."""
        found = [lead for lead in self.leads.values() if self.holds(query, lead)]
        found.sort(key=lambda lead: (self.sort_value(query.sort, lead), lead.number), reverse=query.descending)
        return [lead.number for lead in found]

    def holds(self, query: LeadQuery, lead: Lead) -> bool:
        return (
            all(any(self.has(facet, lead) for facet in group) for group in query.facets)
            and (not query.search or self.is_found(query, lead))
            and (not query.phone or query.phone in self.phones(lead))
            and (query.created_after is None or lead.created_at > query.created_after)
            and (query.created_before is None or lead.created_at < query.created_before)
            and (query.below is None or lead.number < query.below)
        )

    def has(self, facet: str, lead: Lead) -> bool:
        name, _, value = facet.partition("=")
        if name == "tag":
            return value in lead.tags
        if name == "list":
            return value in lead.lists
        if name == "starred":
            return lead.starred
        attribute = {"status": "status", "source": "source", "user": "assigned_user_id", "pipeline": "pipeline_id"}
        return str(getattr(lead, attribute[name])) == value

    def is_found(self, query: LeadQuery, lead: Lead) -> bool:
        emails = [email.lower() for email in (lead.email, *lead.other_emails)]
        beginnings = [*lead.name.lower().split(), *emails, *(email.rpartition("@")[2] for email in emails)]
        if all(any(text.startswith(word) for text in beginnings) for word in query.search.lower().split()):
            return True
        digits = "".join(filter(str.isdigit, query.search))
        if not query.search_phones or not digits or query.search.strip("0123456789+- ()"):
            return False
        full = [phone[1:] for phone in self.phones(lead)]
        parts = [part for one in full for part in (one, one[1:] if one[0] == "1" else one[2:], one[-4:])]
        return any(part.startswith(digits) for part in parts)

    def phones(self, lead: Lead) -> list[str]:
        """Its own, and those of the leads that it was merged with."""
        return [phone for phone in (lead.phone, *lead.other_phones) if phone]

    def sort_value(self, sort: str, lead: Lead) -> object:
        if sort == "created":
            return 0
        if sort in ("first_name", "last_name", "email"):
            return getattr(lead, sort).lower()
        return {"updated": lead.updated_at, "score": lead.score}[sort]

    def store(self, lead: Lead) -> None:
        self.leads[lead.number] = replace(lead)

    def delete(self, number: int) -> None:
        del self.leads[number]
