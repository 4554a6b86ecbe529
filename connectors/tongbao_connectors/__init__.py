"""What runs in a province: its connector, the officers' casework, and the `tongbao` command."""
