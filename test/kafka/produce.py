"""Produces orders with kafka-python: a client that knows nothing of meterbridge.

The one argument is a JSON object (ForeignRecords in python.ts); what was produced is printed as one (ForeignTotals).
"""

import json
import sys

from kafka import KafkaProducer

UNIT_PRICE = 15


def connection(secure):
    if not secure:
        return {}
    return {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": secure["ca"],
        "sasl_mechanism": secure["mechanism"],
        "sasl_plain_username": secure["username"],
        "sasl_plain_password": secure["password"],
    }


def order(order_id):
    amount = order_id % 20 + 1
    return {
        "order_id": order_id,
        "order_amount": amount,
        "order_total_price": amount * UNIT_PRICE,
        "is_paid": order_id % 3 == 0,
    }


def main():
    wanted = json.loads(sys.argv[1])
    first = wanted.get("firstOrderId", 1)
    codec = None if wanted["codec"] == "none" else wanted["codec"]
    producer = KafkaProducer(
        bootstrap_servers=wanted["brokers"],
        acks="all",
        compression_type=codec,
        linger_ms=20,
        **connection(wanted.get("secure")),
    )
    orders = [order(order_id) for order_id in range(first, first + wanted["count"])]
    sent = [producer.send(wanted["topic"], json.dumps(each).encode()) for each in orders]
    for each in sent:
        each.get(timeout=30)
    producer.close()

    paid = [each for each in orders if each["is_paid"]]
    print(
        json.dumps(
            {
                "orders": len(orders),
                "units": sum(each["order_amount"] for each in orders),
                "price": sum(each["order_total_price"] for each in orders),
                "paidOrders": len(paid),
                "paidUnits": sum(each["order_amount"] for each in paid),
                "paidPrice": sum(each["order_total_price"] for each in paid),
            }
        )
    )


main()
