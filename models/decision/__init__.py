"""Who is offered what over which channel: candidates, rules, assignment."""
