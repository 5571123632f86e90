"""What outside files tell of an event's address and user agent: GeoIP, lists, browsers."""
