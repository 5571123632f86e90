"""The Faust shell: the only room that knows Faust and Kafka."""
