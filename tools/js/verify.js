// Verifies one delivery with somebody else's library. stdin: {library, secret, headers, body}; stdout: "accepted", or why not.
const { library, secret, headers, body } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { Webhook } = require(library);
try {
  new Webhook(secret).verify(body, headers);
  console.log("accepted");
} catch (error) {
  console.log(`refused: ${error.message}`);
}
