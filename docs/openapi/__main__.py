"""`python -m docs.openapi`: writes the documents, without the rest of docs/generate.py."""

from docs import openapi

if __name__ == "__main__":
    openapi.FOLDER.mkdir(exist_ok=True)
    for path, text in openapi.written():
        path.write_text(text)
