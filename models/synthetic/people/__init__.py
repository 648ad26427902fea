"""The people of the province: customers, subscribers, their packages, and what the CRM delivers.

`people` and `packages` decide the lives; all other folders of models.synthetic build on them.
`crm` and `lists` give the rows of the files. models.synthetic.chunk takes both.
"""
