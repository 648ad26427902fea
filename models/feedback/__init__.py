"""What came of campaigns: who was assigned, what channels tell of it, orders and their credit.

Others take:
- `assignment.assigned`: who was assigned to which arm of a campaign, and his window;
- `report`: feedback and booked orders, each with its place in a campaign or why it counts for none;
- `order`: the orders of these customers, told or inferred, and which campaign gets the credit;
- `response.responses`: dw.campaign_response;
- `clerk.credits`: mart.clerk_credit.
"""
