# make demo: a synthetic scan becomes a surface, and is compared with the exact one.   make test: all tests.
# make demo-views: the same from synthetic photographs.
# Needs nothing but Python 3.10-3.13 with its venv module. A GPU or a compiler is neither needed nor used for building.

PYTHON ?= python3
DEMO := demo
ISOPTS := .venv/bin/isopts

.PHONY: demo demo-views test clean

demo: .venv/installed
	mkdir -p $(DEMO)
	$(ISOPTS) make-scan flange -o $(DEMO)/scan.ply --reference $(DEMO)/exact.ply
	$(ISOPTS) fit-points $(DEMO)/scan.ply -o $(DEMO)/run --overwrite
	$(ISOPTS) extract-isopoints $(DEMO)/run -n 20000 -o $(DEMO)/isopoints.ply --overwrite
	$(ISOPTS) evaluate $(DEMO)/run $(DEMO)/exact.ply
	@echo "Mesh: $(DEMO)/run/mesh.ply   iso-points: $(DEMO)/isopoints.ply   picture: $(DEMO)/run/preview.png"

demo-views: .venv/installed
	mkdir -p $(DEMO)
	$(ISOPTS) make-views angel -o $(DEMO)/views --overwrite
	$(ISOPTS) fit-mvr $(DEMO)/views -o $(DEMO)/views_run --overwrite --budget 60 --holdout 0,16,32
	$(ISOPTS) evaluate $(DEMO)/views_run
	@echo "Mesh: $(DEMO)/views_run/mesh.ply   pictures: $(DEMO)/views_run/preview.png, views.png"

test: .venv/installed-for-tests
	.venv/bin/python -m pytest

clean:
	rm -rf .venv $(DEMO)

.venv/bin/python:
	@$(PYTHON) -c "import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))" || { \
		echo "Needs Python 3.10-3.13 with its venv module (Debian and Ubuntu: apt install python3-venv);" \
			"choose one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	.venv/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/installed-for-tests: .venv/bin/python pyproject.toml constraints.txt
	.venv/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@ .venv/installed
