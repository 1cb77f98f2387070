# `make run` serves the dashboard, `make test` runs every test; both set up what they need.
PORT ?= 5006
ADDRESS ?= 127.0.0.1
SOURCE ?=
SCENES ?=
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run app docs prepared packages test lint bench soak chaos kiosk-soak demo-video golden clean

run: $(VENV)/.installed
	$(BIN)/twin serve --address $(ADDRESS) --port $(PORT) $(if $(SOURCE),--source "$(SOURCE)") $(if $(SCENES),--scenes "$(SCENES)")

# What a Databricks app needs, and nothing that the platform would misread: docs/databricks.md.
APP ?= build/app
app:
	rm -rf "$(APP)"
	mkdir -p "$(APP)"
	cp -R app.yaml manifest.yaml requirements.txt LICENSE twin dashboards scripts stages "$(APP)"
	find "$(APP)" -name __pycache__ -prune -exec rm -rf {} +

# The API reference, made of the docstrings of `import twin`: build/reference/index.html.
DOCS ?= build/reference
docs: $(VENV)/.testing
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs/reference "$(DOCS)"
	@echo "$(DOCS)/index.html"

# What the tests need of the system, and of Python; `make --jobs=2 prepared` installs both at once.
prepared: packages $(VENV)/.testing

packages:
	scripts/debian
	scripts/node

test: $(VENV)/.testing
	scripts/debian
	scripts/chromium shell
	scripts/java
	scripts/node
	scripts/nginx
	$(BIN)/python -m scripts.suite

lint: $(VENV)/.testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/nbstripout --keep-id --verify examples/*.ipynb stages/*.ipynb
	scripts/node
	$(BIN)/python -m scripts.javascript
	node_modules/.bin/biome ci
	node_modules/.bin/tsc

bench: $(VENV)/.testing
	scripts/chromium
	$(BIN)/python -m benchmarks

soak: $(VENV)/.testing
	scripts/chromium
	$(BIN)/python -m benchmarks.soak
	TWIN_FUZZ_SEEDS=10 $(BIN)/python -m pytest tests -m soak --full-length --numprocesses=0

chaos: $(VENV)/.testing
	scripts/chromium shell
	$(BIN)/python -m pytest tests/chaos --full-length --numprocesses=0

kiosk-soak: $(VENV)/.testing
	scripts/chromium
	$(BIN)/python -m benchmarks.soak --kiosk

demo-video: $(VENV)/.testing
	scripts/chromium
	$(BIN)/python -m scripts.demo_video

# The golden pictures of the page anew, after a change that should be seen. Look at each before it is committed.
golden: $(VENV)/.testing
	scripts/chromium shell
	$(BIN)/python -m pytest tests/browser/test_golden.py -m "" -k looks_as_it_did --draw-golden --numprocesses=0

clean:
	rm -rf $(VENV) build node_modules *.egg-info

$(VENV)/.installed: requirements.txt pyproject.toml
	scripts/venv $(VENV)
	@echo "Installing (about a minute) …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.testing: requirements-test.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@
