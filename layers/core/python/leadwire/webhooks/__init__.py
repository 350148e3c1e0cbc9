"""Webhooks: endpoints that customers register, and the signed delivery of events to them.

    event on the bus ─▶ fanout.py ─▶ delivery item, born due ─▶ queue ─▶ delivery.py ─▶ the customer
                                            ▲                               │ retry.py: done, retry at, give up, disable
                                            └───── sweep.py (due index) ◀───┘

The delivery item is the truth; a message in the queue is only an alarm clock, and one that is lost rings again from the
due index. What a customer's server does is data (`model.Outcome`); only our own faults are exceptions.
"""
