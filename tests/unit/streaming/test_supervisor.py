"""The processes of one machine."""

from riskstream.config import Settings
from riskstream.streaming.supervisor import plan_processes


def test_each_role_and_worker_gets_a_member_and_a_port_of_its_own() -> None:
    """Members are stable names, ports count up from the first."""
    settings = Settings(worker={"name": "node-a"}, http={"port": 9000})

    plans = plan_processes(settings, ("ingest", "assess"), 2)

    assert [(plan.role, plan.member, plan.port) for plan in plans] == [
        ("ingest", "riskstream-ingest-node-a-0", 9000),
        ("assess", "riskstream-assess-node-a-0", 9001),
        ("ingest", "riskstream-ingest-node-a-1", 9002),
        ("assess", "riskstream-assess-node-a-1", 9003),
    ]


def test_port_zero_means_any_free_port_for_all() -> None:
    """Zero is not counted up."""
    plans = plan_processes(Settings(http={"port": 0}), ("ingest",), 3)

    assert [plan.port for plan in plans] == [0, 0, 0]
