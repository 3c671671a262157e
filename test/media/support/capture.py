"""Takes datagrams of several destinations at once, with what the IP header said.

usage: capture.py SECONDS FOLDER ADDRESS:PORT...
Writes the payloads of destination n to FOLDER/n, each after its size (32 bit, big-endian), and prints one JSON
object a destination: the DSCPs, TTLs and source ports that were seen.
"""

import json
import select
import socket
import struct
import sys
import time

IP_RECVTTL = 12  # of <linux/in.h>; Python does not name it


def listen(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    s.bind((address, port))
    if int(address.split(".")[0]) >= 224:
        group = socket.inet_aton(address) + socket.inet_aton("127.0.0.1")
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    return s


def number(data):
    return data[0] if len(data) == 1 else struct.unpack("i", data)[0]


def main():
    seconds, folder = float(sys.argv[1]), sys.argv[2]
    taken = {}
    for i, name in enumerate(sys.argv[3:]):
        address, port = name.rsplit(":", 1)
        seen = {"dscp": set(), "ttl": set(), "sourcePort": set(), "datagrams": 0}
        taken[listen(address, int(port))] = (open(f"{folder}/{i}", "wb"), seen)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for s in select.select(list(taken), [], [], left)[0]:
            file, seen = taken[s]
            data, extra, _, sender = s.recvmsg(65536, 256)
            file.write(struct.pack(">I", len(data)) + data)
            seen["datagrams"] += 1
            seen["sourcePort"].add(sender[1])
            for _, kind, value in extra:
                if kind == socket.IP_TOS:
                    seen["dscp"].add(number(value) >> 2)
                elif kind == socket.IP_TTL:
                    seen["ttl"].add(number(value))
    for file, seen in taken.values():
        file.close()
        print(json.dumps({k: sorted(v) if isinstance(v, set) else v for k, v in seen.items()}))


main()
