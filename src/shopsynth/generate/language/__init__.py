"""Language models of a shop's own texts: a tokenizer, a small network, and a tuned given one."""
