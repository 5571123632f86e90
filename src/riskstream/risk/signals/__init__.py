"""The signals: what each looks at, what it says, when it is silent."""
