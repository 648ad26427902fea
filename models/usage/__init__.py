"""The usage cube: usage records become rating cells, then days and months of measures.

Others take:
- `events`: guiding 指引, which finds the rating cell of each usage record;
- `cube`: the measures added up by day and by month;
- `register`: the measures that the arrays of the cube hold, in their order;
- `recorded`: the records of all services in one form;
- `record_parts`: records merged into events where a source delivers events in parts;
- `event_measure`: the value of a measure for many events at a time (replay uses it);
- `local_time`: the types of days and the changes of clocks, which bands need.
"""
