"""The people of the province: customers, their packages, and what the CRM delivers about them."""
