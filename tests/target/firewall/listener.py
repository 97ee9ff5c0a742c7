"""Listens at TCP ports: greets with a byte, then gives back what comes. Notes each datagram at UDP port 7005."""

import asyncio


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"x")
    while data := await reader.read(100):
        writer.write(data)
        await writer.drain()
    writer.close()


class Heard(asyncio.DatagramProtocol):
    def datagram_received(self, data: bytes, addr: object) -> None:
        with open("/run/heard", "ab") as file:
            file.write(data)


async def main() -> None:
    for port in (7001, 7002, 7003, 7004, 7006):
        await asyncio.start_server(serve, ["0.0.0.0", "::"], port)
    await asyncio.get_running_loop().create_datagram_endpoint(Heard, ("0.0.0.0", 7005))
    await asyncio.Event().wait()


asyncio.run(main())
