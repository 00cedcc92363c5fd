"""Tests of OpenAI Account."""
