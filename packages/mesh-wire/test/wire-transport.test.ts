import { run } from "./contract/transport-contract.ts";
import { freeAddress, LOOPBACK, makeTransport } from "./endpoints.ts";

run("TLS 1.3 over TCP", async () => {
  const a = makeTransport();
  const b = makeTransport();
  const [aAddress, bAddress] = [await a.listen(LOOPBACK), await b.listen(LOOPBACK)];
  return { a, b, spare: makeTransport(), aAddress, bAddress, deadAddress: await freeAddress() };
});
